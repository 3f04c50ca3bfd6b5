"""Write an agent's first description from looking at a file of labelled rows.

Everything that was guessed is said in a comment, so that the user can mend it.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from models.adapters import ADAPTERS
from models.adapters.guesses import LABEL_NAMES
from models.adapters.rows import Sample
from models.errors import DataError
from models.schemas import SourceConfig
from models.schemas.agent import AdapterName
from models.schemas.families import SMALL
from models.schemas.load import agent_from_mapping
from tasks.io.labels import count_labels
from tasks.io.sample import sample_file
from tasks.io.sources import conll

_TIME_NAMES = ("time", "timestamp", "date", "datetime", "created_at", "created")
_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?|\d{9,11}")
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
    labels = count_labels(guess.source, guess.adapter)
    rare = [f"{label} ({count})" for label, count in labels.items() if count < _FEW]
    address = os.path.relpath(path.resolve(), folder.resolve())
    source = {"address": address, **guess.source.model_dump(exclude_defaults=True, exclude={"address"})}
    family, beginning = ADAPTERS[guess.adapter].family, {"name": name, "description": ""}
    own = {**beginning, "adapter": guess.adapter, "labels": list(labels)}
    if family != "encoder":
        own = {**beginning, "adapter": guess.adapter, "encoder": SMALL[family]}
    lines = [
        f"# quickstudy train {name}",
        f"# Written from looking at {path.name}; read every line before the first training.",
        f"# Guessed: {guess.why}.",
        *([f"# Labels are those found, the most frequent first: {_shares(labels)}."] if labels else []),
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
        fits = next(name for name, one in ADAPTERS.items() if set(one.columns().names) <= set(conll.GIVES))
        return _Guess(fits, _source(path), "the first column holds tokens, the last one tags")
    # A later adapter is more special than those before it, so it is asked first.
    for name, adapter in reversed(ADAPTERS.items()):
        try:
            guess = adapter.guess(columns)
        except DataError as error:
            raise DataError(f"{path}: {error}") from error
        if guess:
            mapped = {**guess.columns, "time_column": _time(columns), "domain_column": _domain(columns)}
            return _Guess(name, _source(path, **mapped), guess.why)
    raise DataError(
        f"{path} has the columns {', '.join(map(repr, columns))}; no text was found with a label of two "
        f"kinds or more that repeat, or that is called {' or '.join(LABEL_NAMES[:3])}. Write the "
        "description by hand, with text_column and label_column."
    )


def _source(path: Path, **columns: object) -> SourceConfig:
    return SourceConfig.model_validate({"address": str(path), **columns})


def _time(columns: Sample) -> str | None:
    for name, values in columns.items():
        filled = [str(v) for v in values if v not in (None, "")]
        if name.lower() in _TIME_NAMES and filled and all(_ISO.fullmatch(v) for v in filled):
            return name
    return None


def _domain(columns: Sample) -> str | None:
    return next((name for name in columns if name.lower() == "domain"), None)
