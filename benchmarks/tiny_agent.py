"""A tiny agent for tests and fault runs: only a head learns, on a few hundred real sentences, in seconds."""

from pathlib import Path

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
