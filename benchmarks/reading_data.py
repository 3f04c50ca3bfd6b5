"""Rows of $QUICKSTUDY_DATA for the task types that read with an encoder, and the agents that read them."""

import json
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path

from benchmarks.wnut17_data import folder_from

Row = Mapping[str, object]

OUT_OF_SCOPE = (
    "CLINC150 with its rows out of scope: the first 50 training rows of each of 150 intents and 200 training "
    "and validation rows out of scope; 15 % are for validation, where the threshold is chosen. Held out are "
    "all 4,500 test rows and all 1,000 out of scope. MiniLM."
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
