"""BANKING77 and CLINC150 of $QUICKSTUDY_DATA as pools of episodes, by the published class splits."""

import csv
import json
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.json as pj

from benchmarks.wnut17_data import folder_from
from models.adapters import get_adapter
from models.encoder import load_tokenizer
from models.episodes import Kind, Pool, Split
from models.meta.pools import pool_from_windows, with_names
from models.schemas import AgentConfig, SourceConfig

KIND: Kind = "text_classification"
DATA = ("banking77", "clinc150")
SPLITS = ("01", "02", "03", "04", "05")
_PUBLISHED: dict[Split, str] = {"train": "train", "validation": "valid", "test": "test"}


def rows_of(data: str) -> pa.Table:
    """Read `text` and `label` of all rows of a data set."""
    table = pj.read_json(_folder(data) / "all.jsonl")
    return table.select(["sentence", "label"]).rename_columns(["text", "label"])


@cache
def intents(data: str, max_length: int = 64) -> Pool:
    """Tokenize all rows of a data set for MiniLM.

    Rows that are just the name of a class (23 of CLINC150, one of BANKING77) are left out: names may be in
    the support.
    """
    return _pool(data, rows_of(data), max_length)


@cache
def class_split(data: str, split: str) -> dict[Split, Pool]:
    """Give the pools of one of the five published splits (ProtAugment), disjoint by class."""
    named = json.loads((_folder(data) / "episode_splits.json").read_text("utf-8"))[split]
    return {ours: intents(data).restricted(named[theirs]) for ours, theirs in _PUBLISHED.items()}


@cache
def few_shot_file(data: str, name: str) -> Pool:
    """Tokenize the rows of a published few-shot file (`train_5`, `train_10`) or of `test`."""
    return _pool(data, few_shot_rows(data, name), 64)


def few_shot_rows(data: str, name: str) -> pa.Table:
    """Read `text` and `label` of a published few-shot file."""
    with few_shot_path(data, name).open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE) if len(row) == 2]
    return pa.table({"text": [r[1] for r in rows], "label": [r[0] for r in rows]})


def few_shot_path(data: str, name: str) -> Path:
    """Say where a published few-shot file is: a label, a tab and a text in each line."""
    return _folder(data) / f"{name}.tsv"


def _folder(data: str) -> Path:
    return folder_from("QUICKSTUDY_DATA") / data


def _pool(data: str, rows: pa.Table, max_length: int) -> Pool:
    labels = tuple(sorted(set(rows["label"].to_pylist())))
    config = AgentConfig(
        name=data,
        adapter="text_classification",
        labels=labels,
        sources=(SourceConfig(address="all.jsonl"),),
        max_length=max_length,
        stride=8,
    )
    adapter, tokenizer = get_adapter(config), load_tokenizer(config.encoder)
    windows = adapter.encode(rows, tokenizer).windows
    return with_names(pool_from_windows(data, data, adapter, [windows]), tokenizer)
