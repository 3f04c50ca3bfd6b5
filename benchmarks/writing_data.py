"""Rows of $QUICKSTUDY_DATA for the task types that write, and the agents that write them.

Sizes are small, since two cores write a few sub-words a second with models of a hundred million weights.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path

from benchmarks.wnut17_data import folder_from

Row = Mapping[str, object]

TRANSLATION = (
    "XQuAD's questions, English to German, as translation pairs: 600 of 1,190, all of a paragraph in one "
    "split by `document_column`, 15 % of the documents held out. flan-t5-small."
)
SUMMARIZATION = (
    "SciTLDR: the sentences of a paper's abstract into one; the first 300 training rows (15 % of them for "
    "validation) and the first 100 test rows, cut at 256 sub-words. flan-t5-small."
)


def translation(folder: Path) -> dict[str, object]:
    """Pair the questions of both languages; a paragraph is a document."""
    pairs = zip(_questions("en"), _questions("de"), strict=True)
    rows = [{"text": en, "target": de, "paragraph": place} for (place, en), (_, de) in pairs]
    address = _written(folder / "pairs.jsonl", rows[:600])
    return {
        "adapter": "translation",
        "instruction": "translate English to German: ",
        "sources": [{"address": address, "document_column": "paragraph"}],
        **_flan(),
        "max_length": 64,
        "max_new_tokens": 48,
        "epochs": 3,
    }


def summarization(folder: Path) -> dict[str, object]:
    """Take abstracts and the first summary of each."""
    place = folder_from("QUICKSTUDY_DATA") / "scitldr"
    return {
        "adapter": "summarization",
        "instruction": "summarize: ",
        "sources": [
            {"address": _written(folder / "taught.jsonl", _papers(place / "train.jsonl", 300))},
            {
                "address": _written(folder / "held_out.jsonl", _papers(place / "test.jsonl", 100)),
                "held_out": True,
            },
        ],
        **_flan(),
        "test_share": 0.001,
        "max_length": 256,
        "max_new_tokens": 40,
        "epochs": 2,
    }


def _flan() -> dict[str, object]:
    folder = folder_from("QUICKSTUDY_MODELS") / "flan-t5"
    return {"encoder": str(folder), "learning_rate": 3e-4, "tokens_per_batch": 1024, "patience": 3}


def _questions(language: str) -> Iterator[tuple[str, str]]:
    path = folder_from("QUICKSTUDY_DATA") / "xquad" / f"xquad.{language}.json"
    for article in json.loads(path.read_text("utf-8"))["data"]:
        for number, paragraph in enumerate(article["paragraphs"]):
            for question in paragraph["qas"]:
                yield f"{article['title']} {number}", question["question"]


def _papers(path: Path, most: int) -> Iterator[Row]:
    with path.open(encoding="utf-8") as file:
        for paper in map(json.loads, islice(file, most)):
            yield {"text": " ".join(paper["source"]), "target": paper["target"][0]}


def _written(path: Path, rows: Iterable[Row]) -> str:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    return str(path)
