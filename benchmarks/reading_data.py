"""Rows of $QUICKSTUDY_DATA for the task types that read with an encoder, and the agents that read them."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.crossner_data import crossner_rows
from benchmarks.wnut17_data import folder_from

Row = Mapping[str, object]

OUT_OF_SCOPE = (
    "CLINC150 with its rows out of scope: the first 50 training rows of each of 150 intents and 200 training "
    "and validation rows out of scope; 15 % are for validation, where the threshold is chosen. Held out are "
    "all 4,500 test rows and all 1,000 out of scope. MiniLM."
)
MULTI_LABEL = (
    "CrossNER's sentences on artificial intelligence and literature, each labelled with the entity types "
    "that stand in it: sets made from the tags, of none, one or several. Learned from are the published "
    "training and development sentences, held out are the test ones; types in under 10 sentences to learn "
    "from are left out. MiniLM."
)
RELATIONS = (
    "FewRel's val_wiki, the first 200 sentences of each of 16 relations, held out by hash of the sentence "
    "with both entities marked. MiniLM reads the states of the marks."
)
EXTRACTION = (
    "FewRel's val_wiki end to end: from the sentence alone to its one annotated relation with both entities, "
    "the first 100 sentences of each of 16 relations, held out by hash. A relation counts only with its "
    "label and all four ends. Other entities and relations of a sentence are not annotated, so a true one "
    "that is found beside it counts as made up: the score is a lower bound. MiniLM."
)
CHOICES = (
    "CLINC150 as multiple choice, made from its labels: which of four intents' names belongs to the "
    "utterance; the three others are drawn at random. The intents are disjoint: learned from are 20 "
    "utterances of each of the 50 training intents of the published class split 01, held out are 20 of each "
    "of its 50 test intents, none of whose names was seen. Chance is 0.25. MiniLM."
)


def out_of_scope(folder: Path) -> dict[str, object]:
    """Write CLINC150, whose rows without an intent are labelled `oos`."""
    rows = json.loads((folder_from("QUICKSTUDY_DATA") / "clinc150" / "data_full.json").read_text("utf-8"))
    labels = sorted({label for _, label in rows["train"]})
    kept = [row for name in labels for row in islice((r for r in rows["train"] if r[1] == name), 50)]
    taught = [*kept, *rows["oos_train"], *rows["oos_val"]]
    return {
        "adapter": "text_classification",
        "labels": [*labels, "oos"],
        "out_of_scope": "oos",
        "sources": _two_files(folder, _labelled(taught), _labelled([*rows["test"], *rows["oos_test"]])),
        "max_length": 64,
        "epochs": 4,
    }


def multi_label(folder: Path) -> dict[str, object]:
    """Write CrossNER's sentences with the types of their entities."""
    splits = {name: [*_typed_sentences(name)] for name in ("train", "dev", "test")}
    taught = splits["train"] + splits["dev"]
    counts = Counter(label for _, labels in taught for label in labels)
    kept = sorted(label for label, count in counts.items() if count >= 10)
    rows = {
        name: [{"text": text, "labels": sorted(labels & {*kept})} for text, labels in one]
        for name, one in (("taught", taught), ("held_out", splits["test"]))
    }
    return {
        "adapter": "multi_label_classification",
        "labels": kept,
        "sources": _two_files(folder, rows["taught"], rows["held_out"]),
        "head_learning_rate": 5e-3,
        "epochs": 6,
    }


def relations(folder: Path) -> dict[str, object]:
    """Write FewRel's sentences with the places of both entities."""
    content = json.loads((folder_from("QUICKSTUDY_DATA") / "fewrel" / "val_wiki.json").read_text("utf-8"))
    rows = [_relation(label, row) for label, found in content.items() for row in found[:200]]
    path = folder / "rows.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    return {
        "adapter": "relation_classification",
        "labels": sorted(content),
        "sources": [{"address": str(path)}],
        "head_learning_rate": 3e-3,
        "epochs": 4,
    }


def extraction(folder: Path) -> dict[str, object]:
    """Write FewRel's sentences with their one relation."""
    content = json.loads((folder_from("QUICKSTUDY_DATA") / "fewrel" / "val_wiki.json").read_text("utf-8"))
    path = folder / "rows.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for label, found in content.items():
            for row in (_relation(label, one) for one in found[:100]):
                ends = [str(place) for name in ("head", "tail") for place in row[name]]
                relation = " ".join([label, *ends])
                file.write(f"{json.dumps({'tokens': row['tokens'], 'relations': [relation]})}\n")
    return {
        "adapter": "relation_extraction",
        "labels": sorted(content),
        "sources": [{"address": str(path)}],
        "learning_rate": 2e-4,
        "head_learning_rate": 5e-3,
        "epochs": 6,
        "max_quarantine_share": 0.05,
    }


def choices(folder: Path) -> dict[str, object]:
    """Write CLINC150's utterances, each with four intents' names."""
    source = folder_from("QUICKSTUDY_DATA") / "clinc150"
    classes = json.loads((source / "episode_splits.json").read_text("utf-8"))["01"]
    rows = [json.loads(line) for line in (source / "all.jsonl").read_text("utf-8").splitlines()]
    parts = [[*_chosen(rows, classes[split], seed)] for seed, split in enumerate(("train", "test"))]
    return {
        "adapter": "multiple_choice",
        "sources": _two_files(folder, *parts),
        "max_length": 64,
        "head_learning_rate": 1e-3,
        "epochs": 3,
    }


def _chosen(rows: Sequence[Mapping[str, Any]], names: Sequence[str], seed: int) -> Iterator[Row]:
    """Give 20 utterances of each intent, with its name among those of three others."""
    rng = np.random.default_rng(seed)
    for name in names:
        others = [other for other in names if other != name]
        for row in islice((row for row in rows if row["label"] == name), 20):
            offered = rng.permutation([name, *rng.choice(others, 3, replace=False)]).tolist()
            words = [one.replace("_", " ") for one in offered]
            yield {"question": row["sentence"], "choices": words, "answer": name.replace("_", " ")}


def _relation(label: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """Take each entity's first mention."""
    places = {name: row[key][2][0] for name, key in (("head", "h"), ("tail", "t"))}
    ends = {name: [min(found), max(found)] for name, found in places.items()}
    return {"tokens": row["tokens"], **ends, "label": label}


def _typed_sentences(split: str) -> Iterator[tuple[str, set[str]]]:
    for domain in ("ai", "literature"):
        rows = crossner_rows(domain, split)
        for tokens, tags in zip(rows["tokens"].to_pylist(), rows["tags"].to_pylist(), strict=True):
            yield " ".join(tokens), {tag[2:] for tag in tags if tag != "O"}


def _labelled(rows: Iterable[tuple[str, str]]) -> list[Row]:
    return [{"text": text, "label": label} for text, label in rows]


def _two_files(folder: Path, taught: Iterable[Row], held_out: Iterable[Row]) -> list[dict[str, object]]:
    """Write the rows to learn from and those that are held out; give both as sources."""
    sources: list[dict[str, object]] = []
    for name, rows in (("taught", taught), ("held_out", held_out)):
        path = folder / f"{name}.jsonl"
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
        sources.append({"address": str(path), "held_out": name == "held_out"})
    return sources
