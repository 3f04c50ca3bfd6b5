"""Malformed inputs: each is a clear error or a quarantined row, and what came in is what is accounted for."""

import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.schemas import AgentConfig, DatasetSnapshot, SourceConfig
from tasks.io.snapshots import ingest

TEXT_LABELS = ("neg", "pos")
ENTITIES = ("LOC", "PER")


def _agent(source: SourceConfig, adapter: str = "text_classification") -> AgentConfig:
    labels = TEXT_LABELS if adapter == "text_classification" else ENTITIES
    return AgentConfig.model_validate(
        {"name": "a", "adapter": adapter, "labels": labels, "sources": [source], "max_quarantine_share": 1}
    )


def _ingest(folder: Path, source: SourceConfig, adapter: str = "text_classification") -> DatasetSnapshot:
    return ingest(_agent(source, adapter), folder / "home")


def _quarantine(snapshot: DatasetSnapshot) -> list[tuple[int, str]]:
    table = pq.read_table(Path(snapshot.artifact.address) / "quarantine.parquet")
    return sorted(zip(table["line"].to_pylist(), table["reason"].to_pylist(), strict=True))


@dataclass(frozen=True)
class Bad:
    """A file between whose good rows a bad one stands.

    Args:
        name: The file's name.
        content: Its bytes.
        line: Line of the bad row.
        reason: What the quarantine says.
        good: How many good rows it has.
    """

    name: str
    content: bytes
    line: int
    reason: str
    good: int = 2
    adapter: str = "text_classification"
    time: str | None = None


def _csv(line: bytes) -> bytes:
    return b"text,label\nfine day,pos\n" + line + b"\nsad day,neg\n"


def _timed(value: bytes) -> bytes:
    return (
        b"text,label,t\nfine day,pos,2024-01-01\nold,"
        + b"pos,"
        + value
        + b"\nsad day,neg,2024-01-02T10:00:00Z\n"
    )


def _jsonl(line: bytes) -> bytes:
    good = b'{"text": "%s day", "label": "pos"}'
    return good % b"fine" + b"\n" + line + b"\n" + good % b"sad" + b"\n"


def _tagged(tokens: object, tags: object) -> bytes:
    rows = [(["Ann", "left"], ["B-PER", "O"]), (tokens, tags), (["in", "Rome"], ["O", "B-LOC"])]
    return b"".join(json.dumps({"tokens": a, "tags": b}).encode() + b"\n" for a, b in rows)


TSV = b"text\tlabel\nfine day\tpos\n%s\nsad day\tneg\n"
CONLL = b"Ann B-PER\nleft O\n\n%s\n\nin O\nRome B-LOC\n"
TAGS = "token_classification"

BAD_ROWS = {
    "csv too few fields": Bad("a.csv", _csv(b"alone"), 3, "wrong number of fields"),
    "csv too many fields": Bad("a.csv", _csv(b"a,pos,more"), 3, "wrong number of fields"),
    "csv empty text": Bad("a.csv", _csv(b",pos"), 3, "empty text"),
    "csv blanks only": Bad("a.csv", _csv(b'"  \t ",pos'), 3, "empty text"),
    "csv Unicode blanks only": Bad("a.csv", _csv("\u00a0\u3000\u2003,pos".encode()), 3, "empty text"),
    "csv missing label": Bad("a.csv", _csv(b"so so,"), 3, "missing label"),
    "csv unknown label": Bad("a.csv", _csv(b"so so,meh"), 3, "unknown label"),
    "csv label in another case": Bad("a.csv", _csv(b"so so,POS"), 3, "unknown label"),
    "csv broken UTF-8 in text": Bad("a.csv", _csv(b"caf\xe9,pos"), 3, "broken encoding"),
    "csv broken UTF-8 in label": Bad("a.csv", _csv(b"so so,p\xffs"), 3, "broken encoding"),
    "csv half a character at the end": Bad("a.csv", _csv(b"so so \xe2\x82,pos"), 3, "broken encoding"),
    "csv surrogate in UTF-8": Bad("a.csv", _csv(b"so \xed\xa0\x80,pos"), 3, "broken encoding"),
    "csv overlong UTF-8": Bad("a.csv", _csv(b"so \xc0\xaf,pos"), 3, "broken encoding"),
    "csv NUL": Bad("a.csv", _csv(b"so\x00so,pos"), 3, "broken encoding"),
    "csv replacement character": Bad("a.csv", _csv("so \ufffd so,pos".encode()), 3, "broken encoding"),
    "csv open quote": Bad("a.csv", _csv(b'"so so,pos'), 3, "unclosed quote"),
    "csv open quote in the last field": Bad("a.csv", _csv(b'so so,"pos'), 3, "unclosed quote"),
    "csv open quote at the end": Bad("a.csv", _csv(b"x,neg") + b'"so so,pos', 5, "unclosed quote", 3),
    "csv quote behind a stray one": Bad("a.csv", _csv(b'5" tv,"pos'), 3, "unclosed quote"),
    "csv comma without quotes": Bad("a.csv", _csv(b"well, well,pos"), 3, "wrong number of fields"),
    "csv lone carriage return": Bad("a.csv", _csv(b"so\rso,pos"), 3, "wrong number of fields", 3),
    "csv Windows ends": Bad("a.csv", _csv(b"alone").replace(b"\n", b"\r\n"), 3, "wrong number of fields"),
    "csv old Mac ends": Bad("a.csv", _csv(b"alone").replace(b"\n", b"\r"), 3, "wrong number of fields"),
    "csv byte order mark": Bad("a.csv", b"\xef\xbb\xbf" + _csv(b"alone"), 3, "wrong number of fields"),
    "csv blank lines count": Bad("a.csv", _csv(b"\n\nalone\n"), 5, "wrong number of fields"),
    "csv header twice": Bad("a.csv", _csv(b"text,label"), 3, "unknown label"),
    "csv unreadable time": Bad("a.csv", _timed(b"yesterday"), 3, "unreadable time", time="t"),
    "csv impossible date": Bad("a.csv", _timed(b"2024-02-31"), 3, "unreadable time", time="t"),
    "csv broken list": Bad(
        "a.csv", b'tokens,tags\nAnn,B-PER\n"[""x"", ",O\nb,O\n', 3, "broken list", 2, TAGS
    ),
    "csv words and tags": Bad(
        "a.csv", b"tokens,tags\nAnn left,B-PER\nx,O\n", 2, "different numbers of tokens and tags", 1, TAGS
    ),
    "tsv too few fields": Bad("a.tsv", TSV % b"alone", 3, "wrong number of fields"),
    "tsv tab in the text": Bad("a.tsv", TSV % b"so\tso\tpos", 3, "wrong number of fields"),
    "tsv blanks for tabs": Bad("a.tsv", TSV % b"so so pos", 3, "wrong number of fields"),
    "jsonl cut off": Bad("a.jsonl", _jsonl(b'{"text": "so'), 2, "broken JSON"),
    "jsonl single quotes": Bad("a.jsonl", _jsonl(b"{'text': 'so', 'label': 'pos'}"), 2, "broken JSON"),
    "jsonl two objects": Bad(
        "a.jsonl", _jsonl(b'{"text":"a","label":"pos"}{"text":"b","label":"pos"}'), 2, "broken JSON"
    ),
    "jsonl null behind an object": Bad(
        "a.jsonl", _jsonl(b'{"text":"a","label":"pos"} null'), 2, "broken JSON"
    ),
    "jsonl array": Bad("a.jsonl", _jsonl(b'["so", "pos"]'), 2, "not a JSON object"),
    "jsonl null": Bad("a.jsonl", _jsonl(b"null"), 2, "not a JSON object"),
    "jsonl null first": Bad("a.jsonl", b"null\n" + _jsonl(b"")[:-1], 1, "not a JSON object"),
    "jsonl number for a text": Bad(
        "a.jsonl", _jsonl(b'{"text": 1.5, "label": "pos"}'), 2, "wrong type of value"
    ),
    "jsonl list for a text": Bad(
        "a.jsonl", _jsonl(b'{"text": ["so"], "label": "pos"}'), 2, "wrong type of value"
    ),
    "jsonl object for a label": Bad(
        "a.jsonl", _jsonl(b'{"text": "so", "label": {}}'), 2, "wrong type of value"
    ),
    "jsonl missing text": Bad("a.jsonl", _jsonl(b'{"label": "pos"}'), 2, "missing text"),
    "jsonl null label": Bad("a.jsonl", _jsonl(b'{"text": "so", "label": null}'), 2, "missing label"),
    "jsonl empty object": Bad("a.jsonl", _jsonl(b"{}"), 2, "missing text"),
    "jsonl broken UTF-8": Bad(
        "a.jsonl", _jsonl(b'{"text": "caf\xe9", "label": "pos"}'), 2, "broken encoding"
    ),
    "jsonl lone surrogate": Bad(
        "a.jsonl", _jsonl(rb'{"text": "\ud800", "label": "pos"}'), 2, "broken encoding"
    ),
    "jsonl escaped NUL": Bad(
        "a.jsonl", _jsonl(rb'{"text": "a\u0000", "label": "pos"}'), 2, "broken encoding"
    ),
    "jsonl raw control character": Bad(
        "a.jsonl", _jsonl(b'{"text": "a\x01b", "label": "pos"}'), 2, "broken JSON"
    ),
    "jsonl deep nesting": Bad("a.jsonl", _jsonl(b'{"text": ' + b"[" * 100_000), 2, "broken JSON"),
    "jsonl plain words": Bad("a.jsonl", _jsonl(b"hello"), 2, "broken JSON"),
    "tags of different length": Bad(
        "a.jsonl", _tagged(["a", "b"], ["O"]), 2, "different numbers of tokens and tags", 2, TAGS
    ),
    "tags unknown": Bad("a.jsonl", _tagged(["a"], ["B-ORG"]), 2, "unknown tag", 2, TAGS),
    "tags null": Bad("a.jsonl", _tagged(["a"], None), 2, "missing tags", 2, TAGS),
    "tags with a null": Bad("a.jsonl", _tagged(["a"], [None]), 2, "unknown tag", 2, TAGS),
    "tags that begin with I-": Bad("a.jsonl", _tagged(["a"], ["I-PER"]), 2, "invalid BIO", 2, TAGS),
    "tags that change type inside": Bad(
        "a.jsonl", _tagged(["a", "b"], ["B-PER", "I-LOC"]), 2, "invalid BIO", 2, TAGS
    ),
    "tags with I- behind O": Bad("a.jsonl", _tagged(["a", "b"], ["O", "I-LOC"]), 2, "invalid BIO", 2, TAGS),
    "tokens null": Bad("a.jsonl", _tagged(None, ["O"]), 2, "missing tokens", 2, TAGS),
    "tokens empty": Bad("a.jsonl", _tagged([], []), 2, "no tokens", 2, TAGS),
    "tokens with an empty one": Bad("a.jsonl", _tagged(["a", " "], ["O", "O"]), 2, "empty token", 2, TAGS),
    "tokens with a null": Bad("a.jsonl", _tagged(["a", None], ["O", "O"]), 2, "empty token", 2, TAGS),
    "tokens with a NUL": Bad("a.jsonl", _tagged(["a\x00"], ["O"]), 2, "broken encoding", 2, TAGS),
    "tokens as a number": Bad("a.jsonl", _tagged(5.0, ["O"]), 2, "wrong type of value", 2, TAGS),
    "conll line without a tag": Bad(
        "a.conll", CONLL % b"Paris B-LOC\nonly\nx O", 5, "too few columns", 2, TAGS
    ),
    "conll invalid BIO": Bad("a.conll", CONLL % b"to O\nParis I-LOC", 4, "invalid BIO", 2, TAGS),
    "conll unknown tag": Bad("a.conll", CONLL % b"Paris B-XYZ", 4, "unknown tag", 2, TAGS),
    "conll broken UTF-8": Bad("a.conll", CONLL % b"Par\xff O", 4, "broken encoding", 2, TAGS),
}


@pytest.mark.parametrize("case", BAD_ROWS.values(), ids=BAD_ROWS.keys())
def test_a_bad_row_is_quarantined_with_its_line(tmp_path: Path, case: Bad):
    """The bad row alone goes to the quarantine, with its line and reason; the rows around it stay."""
    (tmp_path / case.name).write_bytes(case.content)
    source = SourceConfig(address=str(tmp_path / case.name), time_column=case.time)
    snapshot = _ingest(tmp_path, source, case.adapter)
    found = _quarantine(snapshot)
    assert (case.line, case.reason) in found
    assert snapshot.rows == case.good
    assert snapshot.quarantined == len(found) == sum(snapshot.reasons.values())


def _sqlite(folder: Path, *rows: tuple[object, object]) -> str:
    base = sqlite3.connect(folder / "a.db")
    base.execute("create table t (text, label)")
    base.executemany("insert into t values (?, ?)", [("fine", "pos"), *rows, ("sad", "neg")])
    base.execute("update t set text = cast(x'636166e9' as text) where text = 'latin'")
    base.commit()
    base.close()
    return f"sqlite:///{folder / 'a.db'}"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ((None, "pos"), "missing text"),
        ((1.5, "pos"), "wrong type of value"),
        (("so", "meh"), "unknown label"),
        (("latin", "pos"), "broken encoding"),
        ((b"\xff\xfe", "pos"), "broken encoding"),
    ],
)
def test_a_bad_row_of_a_table_is_quarantined(tmp_path: Path, row: tuple[object, object], reason: str):
    """A row of a SQL table that can't be used is put aside with its number."""
    snapshot = _ingest(tmp_path, SourceConfig(address=_sqlite(tmp_path, row), format="sql", query="t"))
    assert (_quarantine(snapshot), snapshot.rows) == ([(2, reason)], 2)


@pytest.mark.parametrize(
    ("texts", "labels", "expected"),
    [
        ([b"fine", b"caf\xe9", b"sad"], ["pos", "pos", "neg"], [(2, "broken encoding")]),
        (["fine", None, "sad"], ["pos", "pos", None], [(2, "missing text"), (3, "missing label")]),
        (["fine", " ", "sad"], ["pos", "pos", "meh"], [(2, "empty text"), (3, "unknown label")]),
    ],
)
def test_a_bad_row_of_parquet_is_quarantined(
    tmp_path: Path, texts: list[object], labels: list[object], expected: list[tuple[int, str]]
):
    """Rows of a Parquet file are judged like those of text files."""
    pq.write_table(pa.table({"text": texts, "label": labels}), tmp_path / "a.parquet")
    snapshot = _ingest(tmp_path, SourceConfig(address=str(tmp_path / "a.parquet")))
    assert _quarantine(snapshot) == expected
    assert snapshot.rows + snapshot.quarantined == 3
