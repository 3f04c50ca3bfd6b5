"""A tiny agent and tiny starts for tests and fault runs, on a few hundred real sentences, in seconds."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

DATA = Path(__file__).parents[1] / "data" / "sentiment"


def make_agent(folder: Path, rows: int = 600, **changes: object) -> Path:
    """Write a Parquet file of tweets, one of product reviews, and the agent's YAML; give its path.

    Its gate asks for little, so that versions are promoted after seconds of training.

    Args:
        folder: Where to write.
        rows: Rows of each window.
        **changes: Fields of the agent to set.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for domain in ("tweets", "products"):
        table = pq.read_table(DATA / f"{domain}.parquet").slice(0, rows)
        pq.write_table(table, folder / f"{domain}.parquet")
    agent = {
        "schema_version": 1,
        "name": "tiny",
        "adapter": "text_classification",
        "labels": ["negative", "neutral", "positive"],
        "sources": [{"address": "tweets.parquet", "domain_column": "domain"}],
        "freeze": "encoder",
        "head_learning_rate": 0.02,
        "max_length": 32,
        "stride": 8,
        "epochs": 3,
        "checkpoint_steps": 5,
        "time_limit_seconds": 300,
        "alpha": 0.49,
        "harm_margin": 0.5,
        "min_slice_rows": 10,
        "typical_change": None,
    }
    path = folder / "tiny.yaml"
    path.write_text(yaml.safe_dump(agent | changes, sort_keys=False))
    return path


def make_start(folder: Path, rows: int = 200, **changes: object) -> Path:
    """Write a Parquet file for each domain of sentences, and the YAML of a start on them; give its path.

    Its gate asks for little, and three layers are learned in a few steps.

    Args:
        folder: Where to write.
        rows: Rows of each domain.
        **changes: Fields of the start to set.
    """
    folder.mkdir(parents=True, exist_ok=True)
    splits = {"tweets": "train", "movies": "train", "products": "validation", "editorials": "test"}
    for domain in splits:
        table = pq.read_table(DATA / f"{domain}.parquet")  # some of them sorted by class
        chosen = np.random.default_rng(0).permutation(table.num_rows)[:rows]
        pq.write_table(table.take(chosen), folder / f"{domain}.parquet")
    start = {
        "schema_version": 1,
        "name": "little",
        "disjoint": "domains",
        "sources": [
            {
                "adapter": "text_classification",
                "split": split,
                "source": {"address": f"{domain}.parquet", "domain": domain},
            }
            for domain, split in splits.items()
        ],
        "max_length": 32,
        "meta_layers": 3,
        "n_way": 3,
        "k_shot": 5,
        "n_query": 5,
        "judged_way": 3,
        "judged_shot": 5,
        "steps": 12,
        "outer_lr": 5e-4,
        "evaluate_steps": 4,
        "validation_episodes": 10,
        "meta_batch_size": 1,
        "test_episodes": 100,
        "checkpoint_steps": 3,
        "time_limit_seconds": 300,
        "alpha": 0.49,
        "harm_margin": 0.5,
        "min_slice_rows": 10,
        "typical_change": None,
    }
    path = folder / "little.yaml"
    path.write_text(yaml.safe_dump(start | changes, sort_keys=False))
    return path


def make_pretraining(folder: Path, rows: int = 1200, **changes: object) -> Path:
    """Write a Parquet file of sentences and the YAML of a start that is pretrained on them; give its path.

    A model of two small layers is made anew, and its gate asks for little.

    Args:
        folder: Where to write.
        rows: Sentences.
        **changes: Fields of the start to set; None leaves one out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tables = [pq.read_table(DATA / f"{domain}.parquet", columns=["text"]) for domain in ("tweets", "movies")]
    pq.write_table(pa.concat_tables(table.slice(0, rows // 2) for table in tables), folder / "texts.parquet")
    start = {
        "schema_version": 1,
        "name": "words",
        "sources": [{"address": "texts.parquet", "domain": "opinions"}],
        "layers": 2,
        "width": 32,
        "heads": 2,
        "vocabulary": 1000,
        "block_length": 64,
        "tokens_per_batch": 512,
        "epochs": 2,
        "learning_rate": 2e-3,
        "evaluate_steps": 20,
        "checkpoint_steps": 5,
        "time_limit_seconds": 300,
        "alpha": 0.49,
        "harm_margin": 0.5,
        "min_slice_rows": 10,
        "typical_change": None,
    }
    path = folder / "words.yaml"
    kept = {name: value for name, value in (start | changes).items() if value is not None}
    path.write_text(yaml.safe_dump(kept, sort_keys=False))
    return path
