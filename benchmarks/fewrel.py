"""FewRel of $QUICKSTUDY_DATA as pools of relations: meta-train on Wikipedia and news, test on PubMed."""

import json
from functools import cache

from benchmarks.wnut17_data import folder_from
from models.encoder import load_tokenizer
from models.episodes import Pool, Split
from models.meta.relations import Relation, relation_pool
from models.pretrained import DEFAULT_ENCODER

_MAX_LENGTH = 128


@cache
def fewrel(split: str) -> dict[Split, Pool]:
    """Give the pools; there is one split.

    The relations of `val_nyt` are learned from, with the rows of `val_wiki` that have the same ones; the
    relations of `val_wiki` alone are for validation, and `val_pubmed` for the test.
    """
    del split
    wiki, news, medicine = (_read(name) for name in ("wiki", "nyt", "pubmed"))
    shared = {name: rows + wiki.get(name, []) for name, rows in news.items()}
    alone = {name: rows for name, rows in wiki.items() if name not in news}
    return {
        "train": _pool("nyt", shared),
        "validation": _pool("wiki", alone),
        "test": _pool("pubmed", medicine),
    }


def _read(name: str) -> dict[str, list[Relation]]:
    text = (folder_from("QUICKSTUDY_DATA") / "fewrel" / f"val_{name}.json").read_text("utf-8")
    return {label: [_relation(label, row) for row in rows] for label, rows in json.loads(text).items()}


def _relation(label: str, row: dict) -> Relation:
    """Take each entity's first mention."""
    places = [row[key][2][0] for key in ("h", "t")]
    head, tail = ((min(found), max(found) + 1) for found in places)
    return Relation(tuple(row["tokens"]), head, tail, label)


def _pool(name: str, rows: dict[str, list[Relation]]) -> Pool:
    every = [row for found in rows.values() for row in found]
    return relation_pool(name, name, every, load_tokenizer(DEFAULT_ENCODER, split_words=True), _MAX_LENGTH)
