"""Write an agent's first description from looking at a file of labelled rows.

Everything that was guessed is said in a comment, so that the user can mend it.
"""

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import yaml

from models.errors import DataError
from models.schemas import SourceConfig
from models.schemas.agent import AdapterName
from models.schemas.load import agent_from_mapping
from tasks.io.sample import Columns, sample_file
from tasks.io.sources import batches, open_source

_BIO = re.compile(r"O|[BI]-\S+")
_TEXT_NAMES = ("text", "sentence", "content", "review", "message", "utterance", "question", "body")
_LABEL_NAMES = ("label", "category", "intent", "class", "sentiment", "target", "topic")
_TIME_NAMES = ("time", "timestamp", "date", "datetime", "created_at", "created")
_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?|\d{9,11}")
_MOST_LABELS = 1000
_FEW = 20


@dataclass(frozen=True)
class _Guess:
    adapter: AdapterName
    source: SourceConfig
    why: str


def draft_agent(name: str, data_file: str | Path, folder: Path = Path("agents")) -> str:
    """Write the YAML of an agent for a file.

    Args:
        name: The agent's name.
        data_file: CSV, TSV, JSONL, Parquet or CoNLL.
        folder: Where the YAML will lie; the file's address is told from there.

    Raises:
        ConfigError: The file's format can't be told, or the name can't be an agent's.
        DataError: The file can't be read, or no text and label are found in it.
    """
    path = Path(data_file)
    guess = _guess(path)
    labels = _labels(guess)
    rare = [f"{label} ({count})" for label, count in labels.items() if count < _FEW]
    address = os.path.relpath(path.resolve(), folder.resolve())
    source = {"address": address, **guess.source.model_dump(exclude_defaults=True, exclude={"address"})}
    own = {"name": name, "description": "", "adapter": guess.adapter, "labels": list(labels)}
    lines = [
        f"# quickstudy train {name}",
        f"# Written from looking at {path.name}; read every line before the first training.",
        f"# Guessed: {guess.why}.",
        f"# Labels are those found, the most frequent first: {_shares(labels)}.",
        *([f"# Labels with under {_FEW} examples: {', '.join(rare)}."] if rare else []),
        _yaml({"schema_version": 1, **own}),
        _yaml({"sources": [source]}),
        "# Everything else has a default; some that are often changed:",
        "# epochs: 5\n# split_by: hash   # or time, with a time_column\n# max_quarantine_share: 0.02",
    ]
    text = "\n".join(lines) + "\n"
    agent_from_mapping(yaml.safe_load(text), f"the description written for {name!r}")
    return text


def _yaml(values: dict[str, object]) -> str:
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=100).rstrip()


def _shares(labels: dict[str, int]) -> str:
    shown = [f"{label} {count:,}" for label, count in list(labels.items())[:8]]
    return ", ".join(shown) + (f" and {len(labels) - 8} more" if len(labels) > 8 else "")


def _guess(path: Path) -> _Guess:
    kind, columns = sample_file(path)
    if kind == "conll":
        return _Guess(
            "token_classification", _source(path), "the first column holds tokens, the last one tags"
        )
    tags = next((name for name, values in columns.items() if _are_tags(values)), None)
    if tags:
        return _guess_tags(path, columns, tags)
    return _guess_text(path, columns)


def _source(path: Path, **columns: str | None) -> SourceConfig:
    return SourceConfig.model_validate({"address": str(path), **columns})


def _guess_tags(path: Path, columns: Columns, tags: str) -> _Guess:
    counts = [len(_items(v)) for v in columns[tags]]
    for name, values in columns.items():
        if name != tags and [len(_items(v)) for v in values] == counts:
            why = f"{tags!r} holds BIO tags and {name!r} as many tokens"
            source = _source(path, tokens_column=name, tags_column=tags, time_column=_time(columns))
            return _Guess("token_classification", source, why)
    raise DataError(f"{path}: column {tags!r} holds BIO tags, but no column has as many tokens in each row.")


def _items(value: object) -> list[object]:
    """See a value as a list: a real one, a JSON array, or words."""
    if isinstance(value, str) and value.startswith("["):
        try:
            value = json.loads(value)
        except ValueError:
            return []
    if isinstance(value, str):
        return list(value.split())
    return value if isinstance(value, list) else []


def _are_tags(values: list[object]) -> bool:
    pieces = [piece for value in values for piece in _items(value)]
    tagged = all(isinstance(p, str) and _BIO.fullmatch(p) for p in pieces)
    return bool(pieces) and tagged and any(p != "O" for p in pieces)


def _guess_text(path: Path, columns: Columns) -> _Guess:
    labels = {name: d for name, v in columns.items() if (d := _distinct(v)) is not None}
    label = _best(labels, _LABEL_NAMES, key=lambda name: labels[name])
    texts = {
        name: sum(map(len, v)) / len(v)
        for name, values in columns.items()
        if name != label and (v := [x for x in values if isinstance(x, str)])
    }
    text = _best(texts, _TEXT_NAMES, key=lambda name: -texts[name])
    if text is None or label is None:
        raise DataError(
            f"{path} has the columns {', '.join(map(repr, columns))}; no text with a label that repeats was "
            "found among them. Write the description by hand, with text_column and label_column."
        )
    source = _source(
        path, text_column=text, label_column=label, time_column=_time(columns), domain_column=_domain(columns)
    )
    return _Guess("text_classification", source, f"{text!r} holds the text and {label!r} the label")


def _distinct(values: list[object]) -> int | None:
    """Count distinct values of a column that may be a label: few of them, each of them often."""
    filled = [v for v in values if isinstance(v, str | int) and v != ""]
    found = len(set(filled))
    return found if 2 <= found <= max(2, len(filled) // 2) and found <= _MOST_LABELS else None


def _best(candidates: Mapping[str, float], names: tuple[str, ...], key: Callable[[str], float]) -> str | None:
    """Choose the column with a usual name, else the first by `key`."""
    lower = {name.lower(): name for name in candidates}
    usual = next((lower[name] for name in names if name in lower), None)
    return usual or min(candidates, key=key, default=None)


def _time(columns: Columns) -> str | None:
    for name, values in columns.items():
        filled = [str(v) for v in values if v not in (None, "")]
        if name.lower() in _TIME_NAMES and filled and all(_ISO.fullmatch(v) for v in filled):
            return name
    return None


def _domain(columns: Columns) -> str | None:
    return next((name for name in columns if name.lower() == "domain"), None)


def _labels(guess: _Guess) -> dict[str, int]:
    """Count the labels, or the entity types, of the whole file."""
    counts: Counter[str] = Counter()
    role = "label" if guess.adapter == "text_classification" else "tags"
    for batch in batches(open_source(guess.source, guess.adapter)):
        values = batch.rows[role].cast(pa.binary() if role == "label" else pa.list_(pa.binary()))
        flat = values if role == "label" else pc.list_flatten(values)
        for item in pc.value_counts(flat.drop_null()).to_pylist():
            name = item["values"].decode("utf-8", "replace").strip()
            if role == "label" or name.startswith("B-"):
                counts[name if role == "label" else name[2:]] += item["counts"]
    counts.pop("", None)
    if len(counts) < (2 if role == "label" else 1) or len(counts) > _MOST_LABELS:
        raise DataError(
            f"{guess.source.address}: {len(counts)} labels found; 2 to {_MOST_LABELS} can be used."
        )
    return dict(counts.most_common())
