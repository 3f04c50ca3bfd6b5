"""Malformed files made by hypothesis: no row is lost and nothing crashes, whatever they hold."""

import json
from pathlib import Path

import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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


FIELDS = st.text(st.sampled_from('ab ,"\n\té\x00'), max_size=6).map(str.encode) | st.binary(max_size=4)


@given(st.lists(st.lists(FIELDS, min_size=1, max_size=3), max_size=12))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_csv_row_is_lost(tmp_path: Path, rows: list[list[bytes]]):
    """Whatever stands between them, marked rows before and after come through, and nothing crashes."""
    middle = b"\n".join(b",".join(fields) for fields in rows)
    content = b"text,label\nfirst one,pos\n" + middle + b"\n" + b'"la""st",neg\nvery last,neg\n'
    (tmp_path / "a.csv").write_bytes(content)
    snapshot = _ingest(tmp_path, SourceConfig(address=str(tmp_path / "a.csv")))
    texts = pq.read_table(Path(snapshot.artifact.address) / "rows.parquet", columns=["text"])[
        "text"
    ].to_pylist()
    assert "first one" in texts
    assert "very last" in texts
    assert snapshot.rows + snapshot.quarantined >= 2


JSON_LINES = st.one_of(
    st.dictionaries(
        st.sampled_from(["text", "label", "x"]),
        st.none() | st.integers() | st.text(max_size=5) | st.lists(st.none()),
    ).map(lambda d: json.dumps(d).encode()),
    st.binary(max_size=10).map(lambda b: b.replace(b"\n", b"").replace(b"\r", b"")),
    st.sampled_from(
        [b"null", b"{}", b"[]", b"{}null", b'{"text":"a","label":"pos"}', b'{"text":NaN}', b"{", b"1"]
    ),
)


@given(st.lists(JSON_LINES, max_size=80))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_json_line_is_accounted_for(tmp_path: Path, lines: list[bytes]):
    """Each line that is not blank is a row or a quarantined line, whatever it holds."""
    good = [b'{"text": "fine day", "label": "pos"}', b'{"text": "sad day", "label": "neg"}']
    (tmp_path / "a.jsonl").write_bytes(b"\n".join([good[0], *lines, good[1]]))
    snapshot = _ingest(tmp_path, SourceConfig(address=str(tmp_path / "a.jsonl")))
    assert snapshot.rows + snapshot.quarantined == 2 + sum(1 for line in lines if line)
