"""Rows of $QUICKSTUDY_DATA for the task types that write, and the agents that write them.

Sizes are small, since two cores write a few sub-words a second with models of a hundred million weights.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

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

DIALOGUE = (
    "Schema-guided dialogues: the system's replies in the first 12 dialogues of dev, those of the first 4 of "
    "test held out; a dialogue's rows are together. SmolLM2-135M-Instruct, prompts of at most 96 sub-words."
)
DIALOGUE_STATE = (
    "Schema-guided dialogues: a row is a user's turn and a service, every fifth of every fourth dialogue. 61 "
    "rows of dev are learned from (15 % of their dialogues for validation); 30 rows of other dev dialogues "
    "(`seen` services) and 30 of test (`unseen`) are held out. flan-t5-small, at most 256 sub-words."
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
        "sources": _two_files(
            folder, _papers(place / "train.jsonl", 300), _papers(place / "test.jsonl", 100)
        ),
        **_flan(),
        "test_share": 0.001,
        "max_length": 256,
        "max_new_tokens": 40,
        "epochs": 2,
    }


def dialogue(folder: Path) -> dict[str, object]:
    """Take the system's replies, each with what was said before it."""
    taught = [row for one in _dialogues("dev")[:12] for row in _replies(one)]
    held_out = [row for one in _dialogues("test")[:4] for row in _replies(one)]
    return {
        "adapter": "dialogue",
        "sources": _two_files(folder, taught, held_out, document_column="dialogue"),
        "encoder": str(folder_from("QUICKSTUDY_MODELS") / "smollm2"),
        "learning_rate": 1e-4,
        "tokens_per_batch": 512,
        "test_share": 0.001,
        "max_length": 96,
        "max_new_tokens": 32,
        "epochs": 1,
    }


def dialogue_state(folder: Path) -> dict[str, object]:
    """Take the state of each service after each turn of the user; a slot's values are as good."""
    seen = [row for one in _dialogues("dev")[::4] for row in _states(one, "dev", "seen")]
    unseen = [row for one in _dialogues("test")[::4] for row in _states(one, "test", "unseen")]
    return {
        "adapter": "dialogue_state",
        "sources": _two_files(
            folder,
            seen[::5][30:],
            [*seen[::5][:30], *unseen[::5][:30]],
            document_column="dialogue",
            domain_column="services",
        ),
        **_flan(),
        "test_share": 0.001,
        "max_length": 256,
        "max_new_tokens": 48,
        "epochs": 2,
    }


def _dialogues(split: str) -> list[Any]:
    paths = sorted((folder_from("QUICKSTUDY_DATA") / "sgd" / split).glob("dialogues_*.json"))
    return [one for path in paths for one in json.loads(path.read_text("utf-8"))]


def _replies(dialogue: Any) -> Iterator[Row]:  # noqa: ANN401 - as it comes from JSON
    said = [turn["utterance"] for turn in dialogue["turns"]]
    for place in range(1, len(said), 2):
        yield {"dialogue": dialogue["dialogue_id"], "turns": said[:place], "target": said[place]}


def _states(dialogue: Any, split: str, services: str) -> Iterator[Row]:  # noqa: ANN401 - as it comes from JSON
    schema = json.loads((folder_from("QUICKSTUDY_DATA") / "sgd" / split / "schema.json").read_text("utf-8"))
    slots = {s["service_name"]: [f"{x['name']}: {x['description']}" for x in s["slots"]] for s in schema}
    said = [turn["utterance"] for turn in dialogue["turns"]]
    for place in range(0, len(said), 2):
        for frame in dialogue["turns"][place]["frames"]:
            filled = frame["state"]["slot_values"].items()
            yield {
                "dialogue": f"{split} {dialogue['dialogue_id']}",
                "services": services,
                "turns": said[: place + 1],
                "slots": slots[frame["service"]],
                "state": [f"{slot}={'|'.join(values)}" for slot, values in filled],
            }


def _two_files(
    folder: Path, taught: Iterable[Row], held_out: Iterable[Row], **columns: str
) -> list[dict[str, object]]:
    """Write the rows to learn from and those that are held out; give both as sources."""
    return [
        {"address": _written(folder / "taught.jsonl", taught), **columns},
        {"address": _written(folder / "held_out.jsonl", held_out), "held_out": True, **columns},
    ]


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
