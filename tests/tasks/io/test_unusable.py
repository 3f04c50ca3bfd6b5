"""Sources that can't be used at all: each gives one clear error and leaves no snapshot."""

import gzip
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from models.errors import ConfigError, DataError, MissingExtraError, QuickstudyError
from models.schemas import AgentConfig, DatasetSnapshot, SourceConfig
from tasks.io.snapshots import ingest


def _ingest(folder: Path, source: SourceConfig, adapter: str = "text_classification") -> DatasetSnapshot:
    labels = ["neg", "pos"] if adapter == "text_classification" else ["LOC", "PER"]
    values = {
        "name": "a",
        "adapter": adapter,
        "labels": labels,
        "sources": [source],
        "max_quarantine_share": 1,
    }
    return ingest(AgentConfig.model_validate(values), folder / "home")


def _sqlite(folder: Path) -> str:
    base = sqlite3.connect(folder / "a.db")
    base.execute("create table t as select 'fine' as text, 'pos' as label")
    base.commit()
    base.close()
    return f"sqlite:///{folder / 'a.db'}"


@dataclass(frozen=True)
class Unusable:
    """A file that can't be used at all, and what the error says."""

    name: str
    content: bytes
    says: str
    error: type[QuickstudyError] = DataError
    adapter: str = "text_classification"


UNUSABLE = {
    "empty csv": Unusable("a.csv", b"", "hold no rows"),
    "header only": Unusable("a.csv", b"text,label\n", "hold no rows"),
    "blank lines only": Unusable("a.csv", b"\n\n\n", "hold no rows|no column"),
    "column missing": Unusable("a.csv", b"texts,label\na,pos\n", "no column 'text'.*Did you mean 'texts'"),
    "column twice": Unusable("a.csv", b"text,text,label\na,b,pos\n", "two columns 'text'"),
    "semicolons": Unusable("a.csv", b"text;label\na;pos\n", "no column 'text'"),
    "UTF-16": Unusable("a.csv", "text,label\na,pos\n".encode("utf-16"), "UTF-16; save it as UTF-8"),
    "cut gzip": Unusable(
        "a.csv.gz", gzip.compress(b"text,label\n" + b"a,pos\n" * 9999)[:-9], "can't be read"
    ),
    "no gzip": Unusable("a.csv.gz", b"text,label\na,pos\n", "can't be read"),
    "no zstd": Unusable("a.csv.zst", b"text,label\na,pos\n", "can't be read"),
    "no parquet": Unusable("a.parquet", b"text,label\na,pos\n", "no readable Parquet"),
    "cut parquet": Unusable("a.parquet", b"PAR1abcPAR1", "no readable Parquet"),
    "empty parquet": Unusable("a.parquet", b"", "no readable Parquet"),
    "json array": Unusable("a.jsonl", b'[{"text": "a", "label": "pos"}]', "JSON array"),
    "keys missing": Unusable("a.jsonl", b'{"txt": "a", "label": "pos"}\n', "Did you mean 'txt'"),
    "every label unknown": Unusable("a.csv", b"text,label\na,x\nb,x\n", "unknown label"),
    "conll for texts": Unusable("a.conll", b"a O\n", "don't fit text_classification"),
    "unknown suffix": Unusable("a.xyz", b"a", "Set `format` to one of", ConfigError),
    "no tags in conll": Unusable(
        "a.conll", b"just\nwords\n", "too few columns", adapter="token_classification"
    ),
}


@pytest.mark.parametrize("case", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_an_unusable_file_gives_one_clear_error(tmp_path: Path, case: Unusable):
    """A file that can't be used stops ingest with words, and leaves no snapshot."""
    (tmp_path / case.name).write_bytes(case.content)
    with pytest.raises(case.error, match=f"(?s){case.says}"):
        _ingest(tmp_path, SourceConfig(address=str(tmp_path / case.name)), case.adapter)
    assert list((tmp_path / "home" / "snapshots").iterdir()) == []


@pytest.mark.parametrize(
    ("make", "says", "error"),
    [
        (lambda f: {"address": str(f / "b.csv")}, "There is no file.*Did you mean a.csv", DataError),
        (lambda f: {"address": str(f / "*.tsv")}, "There is no file", DataError),
        (lambda f: {"address": str(f), "format": "csv"}, "is a folder", DataError),
        (lambda _: {"address": "nosuch://x/a.csv"}, "nosuch", DataError),
        (
            lambda f: {"address": f"sqlite:///{f}/no.db", "format": "sql", "query": "t"},
            "no SQLite file",
            DataError,
        ),
        (lambda f: {"address": _sqlite(f), "format": "sql", "query": "u"}, "no such table", DataError),
        (lambda f: {"address": _sqlite(f), "format": "sql"}, "set `query`", DataError),
        (
            lambda f: {"address": _sqlite(f), "format": "sql", "query": "drop table t"},
            "only SELECT",
            DataError,
        ),
        (
            lambda f: {"address": _sqlite(f), "format": "sql", "query": "select text from t"},
            "no column 'label'",
            DataError,
        ),
        (lambda _: {"address": "no url", "format": "sql", "query": "t"}, "no SQLAlchemy URL", DataError),
        (lambda _: {"address": "nosuch://h/b", "format": "sql", "query": "t"}, "driver", MissingExtraError),
        (
            lambda f: {"address": str(f / "none"), "format": "huggingface"},
            "can't be loaded as a dataset",
            DataError,
        ),
    ],
)
def test_a_wrong_address_gives_one_clear_error(
    tmp_path: Path, make: Callable[[Path], dict[str, str]], says: str, error: type[QuickstudyError]
):
    """A wrong path, URL or query is told in words."""
    (tmp_path / "a.csv").write_bytes(b"text,label\nx,pos\n")
    with pytest.raises(error, match=f"(?s){says}"):
        _ingest(tmp_path, SourceConfig.model_validate(make(tmp_path)))
