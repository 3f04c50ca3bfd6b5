"""Ingest: snapshots, their digests, splits, duplicates and limits."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.errors import ArtifactError, DataError
from models.schemas import AgentConfig, DatasetSnapshot, SourceConfig
from tasks.io.digests import folder_digest
from tasks.io.snapshots import ingest, load_snapshot, verify

ROOT = Path(__file__).parents[3]


def _agent(*paths: Path, **changes: object) -> AgentConfig:
    sources = [{"address": str(p), **changes.pop("source", {})} for p in paths]  # type: ignore[dict-item]
    values = {"name": "a", "adapter": "text_classification", "labels": ["neg", "pos"], "sources": sources}
    return AgentConfig.model_validate({**values, **changes})


def _write(path: Path, rows: list[tuple[str, ...]], header: str = "text,label") -> Path:
    path.write_text("\n".join([header, *(",".join(row) for row in rows)]) + "\n", "utf-8")
    return path


def _rows(snapshot: DatasetSnapshot) -> pa.Table:
    return pq.read_table(Path(snapshot.artifact.address) / "rows.parquet")


def _many(count: int, first: int = 0) -> list[tuple[str, str]]:
    return [(f"text number {i}", "pos" if i % 3 else "neg") for i in range(first, first + count)]


def test_rows_have_the_contract_s_columns(tmp_path: Path):
    """rows.parquet holds plain strings, a uint64 hash, a UTC time and the adapter's columns."""
    snapshot = ingest(_agent(_write(tmp_path / "a.csv", _many(50))), tmp_path)
    assert _rows(snapshot).schema.remove_metadata() == pa.schema(
        [
            ("text_hash", pa.uint64()),
            ("split", pa.string()),
            ("source", pa.string()),
            ("domain", pa.string()),
            ("time", pa.timestamp("us", "UTC")),
            ("text", pa.string()),
            ("label", pa.string()),
        ]
    )
    assert snapshot.label_counts == {"neg": 17, "pos": 33}
    assert sum(snapshot.split_counts.values()) == snapshot.rows == 50


def test_tags_have_lists_and_entity_counts(tmp_path: Path):
    """Rows of tags hold lists; labels are counted by entity."""
    path = ROOT / "data/addresses.parquet"
    labels = sorted({t[2:] for row in pq.read_table(path)["tags"].to_pylist() for t in row})
    config = _agent(path, adapter="token_classification", labels=labels)
    snapshot = ingest(config, tmp_path)
    table = _rows(snapshot)
    assert table.schema.field("tokens").type == pa.list_(pa.field("element", pa.string()))
    tags = [t for row in table["tags"].to_pylist() for t in row]
    assert snapshot.label_counts == {n: tags.count(f"B-{n}") for n in labels}
    assert snapshot.rows + snapshot.quarantined == 1513


def test_the_same_content_has_the_same_digest_wherever_it_lies(tmp_path: Path):
    """Two ingests of equal files in different places give one digest; the second makes no new folder."""
    (tmp_path / "x").mkdir()
    one = ingest(_agent(_write(tmp_path / "a.csv", _many(50))), tmp_path)
    two = ingest(_agent(_write(tmp_path / "x" / "a.csv", _many(50))), tmp_path)
    assert one == two
    assert [p.name for p in (tmp_path / "snapshots").iterdir()] == [one.artifact.digest]
    assert folder_digest(Path(one.artifact.address)) == one.artifact.digest


def test_one_changed_row_changes_the_digest(tmp_path: Path):
    """A digest stands for the content."""
    one = ingest(_agent(_write(tmp_path / "a.csv", _many(50))), tmp_path)
    two = ingest(_agent(_write(tmp_path / "a.csv", [*_many(49), ("other", "pos")])), tmp_path)
    assert one.artifact.digest != two.artifact.digest


def test_a_text_stays_in_its_split_in_every_later_snapshot(tmp_path: Path):
    """More rows, another order and other spelling leave each text's split as it was."""
    before = _rows(ingest(_agent(_write(tmp_path / "a.csv", _many(500))), tmp_path))
    shouted = [(f"  {text.upper()} ", label) for text, label in reversed(_many(900))]
    after = _rows(ingest(_agent(_write(tmp_path / "b.csv", shouted)), tmp_path))
    old = dict(zip(before["text_hash"].to_pylist(), before["split"].to_pylist(), strict=True))
    new = dict(zip(after["text_hash"].to_pylist(), after["split"].to_pylist(), strict=True))
    assert {h: new[h] for h in old} == old
    assert set(old.values()) == {"train", "validation", "test"}


def test_duplicates_are_told_apart_and_counted(tmp_path: Path):
    """The first row of a text stays; exact, normalized and conflicting repeats are put aside."""
    rows = [("one", "pos"), ("one", "pos"), ("ONE ", "pos"), ("one", "neg"), ("two", "neg"), ("ONE ", "pos")]
    snapshot = ingest(_agent(_write(tmp_path / "a.csv", rows)), tmp_path)
    assert _rows(snapshot)["text"].to_pylist() == ["one", "two"]
    assert snapshot.reasons == {"duplicate": 2, "duplicate after normalization": 1, "conflicting label": 1}
    assert (snapshot.exact_duplicates, snapshot.normalized_duplicates) == (2, 2)
    aside = pq.read_table(Path(snapshot.artifact.address) / "quarantine.parquet")
    assert aside["line"].to_pylist() == [3, 4, 5, 7]
    assert aside["source"].to_pylist() == ["a"] * 4


def test_duplicates_are_found_across_sources(tmp_path: Path):
    """A text of one source that stands in an earlier one is put aside, with its own source and line."""
    one, two = _write(tmp_path / "a.csv", _many(5)), _write(tmp_path / "b.csv", _many(5, first=3))
    snapshot = ingest(_agent(one, two), tmp_path)
    aside = pq.read_table(Path(snapshot.artifact.address) / "quarantine.parquet").to_pylist()
    assert [(r["source"], r["file"], r["line"]) for r in aside] == [("b", "b.csv", 2), ("b", "b.csv", 3)]
    assert snapshot.rows == 8


def test_duplicates_stay_where_nobody_looks_for_them(tmp_path: Path):
    """Without the search, repeated rows are rows, all of one text in one split."""
    snapshot = ingest(_agent(_write(tmp_path / "a.csv", [("x", "pos")] * 9)), tmp_path, find_duplicates=False)
    assert snapshot.rows == 9
    assert sorted(snapshot.split_counts.values()) == [0, 0, 9]


def test_splits_by_time_hold_out_the_newest(tmp_path: Path):
    """By time, test rows are newer than validation rows, and those newer than training rows."""
    rows = [
        (f"t{i}", "pos" if i % 2 else "neg", f"2024-01-{1 + i * 7 % 28:02}T{i % 24:02}:00:00")
        for i in range(400)
    ]
    path = _write(tmp_path / "a.csv", rows, "text,label,at")
    snapshot = ingest(_agent(path, source={"time_column": "at"}, split_by="time"), tmp_path)
    table = _rows(snapshot).to_pandas()
    ranges = table.groupby("split")["time"].agg(["min", "max"])
    assert ranges.loc["train", "max"] < ranges.loc["validation", "min"]
    assert ranges.loc["validation", "max"] < ranges.loc["test", "min"]
    assert snapshot.split_counts["test"] == pytest.approx(60, abs=10)
    assert snapshot.time_start == table["time"].min().to_pydatetime()


def test_by_time_no_text_stands_in_two_splits(tmp_path: Path):
    """A text that comes back later is put aside and counted as standing in two splits."""
    rows = [(f"t{i}", "pos", f"2024-01-01T{i // 60:02}:{i % 60:02}:00") for i in range(200)]
    rows.append(("T0", "pos", "2024-03-01"))
    path = _write(tmp_path / "a.csv", rows, "text,label,at")
    snapshot = ingest(_agent(path, source={"time_column": "at"}, split_by="time"), tmp_path)
    assert snapshot.in_two_splits == snapshot.normalized_duplicates == 1


def test_by_time_a_row_without_time_is_put_aside(tmp_path: Path):
    """A missing time is a fault only where splits go by time."""
    rows = [(f"t{i}", "pos", f"2024-01-01T00:{i:02}:00") for i in range(60)] + [("late", "pos", "")]
    path = _write(tmp_path / "a.csv", rows, "text,label,at")
    timed = {"source": {"time_column": "at"}, "max_quarantine_share": 0.1}
    assert ingest(_agent(path, **timed, split_by="time"), tmp_path).reasons == {"missing time": 1}
    assert ingest(_agent(path, **timed), tmp_path).reasons == {}


def test_equal_times_that_leave_a_split_empty_are_refused(tmp_path: Path):
    """Rows that share one time can't be split by it."""
    rows = [(f"t{i}", "pos", "2024-01-01") for i in range(50)]
    path = _write(tmp_path / "a.csv", rows, "text,label,at")
    with pytest.raises(DataError, match="leaves no train rows"):
        ingest(_agent(path, source={"time_column": "at"}, split_by="time"), tmp_path)


def test_too_many_bad_rows_fail_with_reasons_and_examples(tmp_path: Path):
    """Over the limit, the error names shares, counts, reasons, examples and the kept quarantine."""
    rows = [*_many(20), ("odd one", "meh"), ("odd two", "meh"), ("", "pos")]
    with pytest.raises(DataError, match=r"3 of 23 rows are bad \(13\.0%\)") as error:
        ingest(_agent(_write(tmp_path / "a.csv", rows)), tmp_path)
    message = str(error.value)
    assert "2 x unknown label, first in a.csv, line 22" in message
    assert "odd one" in message
    assert pq.read_table(message.split("All of them: ")[1])["reason"].to_pylist() == [
        "unknown label",
        "unknown label",
        "empty text",
    ]


def test_repeated_rows_are_no_reason_for_failing(tmp_path: Path):
    """Among the commonest reasons of too many bad rows stand those of bad rows alone."""
    rows = [*_many(5) * 4, ("odd one", "meh")]
    with pytest.raises(DataError, match=r"Commonest reasons:\n  1 x unknown label[^\n]*\nAll of them"):
        ingest(_agent(_write(tmp_path / "a.csv", rows)), tmp_path)


def test_duplicates_do_not_count_as_bad(tmp_path: Path):
    """A source full of repeats is within the limit."""
    snapshot = ingest(_agent(_write(tmp_path / "a.csv", _many(5) * 20)), tmp_path)
    assert (snapshot.rows, snapshot.quarantined) == (5, 95)


def test_domains_come_from_a_column_or_from_the_source(tmp_path: Path):
    """A row's own domain counts, else the source's."""
    path = _write(tmp_path / "a.csv", [("x", "pos", "film"), ("y", "neg", "")], "text,label,d")
    snapshot = ingest(_agent(path, source={"domain_column": "d", "domain": "web"}), tmp_path)
    assert snapshot.domain_counts == {"film": 1, "web": 1}


def test_sources_of_one_name_are_told_apart(tmp_path: Path):
    """Two files of one name get as many folders before it as they need."""
    for folder in ("old", "new"):
        (tmp_path / folder).mkdir()
        _write(tmp_path / folder / "a.csv", _many(3, first=len(folder) * (folder == "new")))
    snapshot = ingest(_agent(tmp_path / "old/a.csv", tmp_path / "new/a.csv"), tmp_path)
    assert set(_rows(snapshot)["source"].to_pylist()) == {"old/a", "new/a"}


def test_a_password_is_in_no_snapshot(tmp_path: Path):
    """Nothing of a SQL source's URL but the table's name is stored."""
    import sqlite3

    with sqlite3.connect(tmp_path / "base.db") as base:
        base.execute("create table t as select 'x' as text, 'pos' as label")
    base.close()
    source = SourceConfig(address=f"sqlite:///{tmp_path}/base.db", format="sql", query="t")
    snapshot = ingest(_agent(tmp_path / "a.csv"), tmp_path, sources=[source])
    assert _rows(snapshot)["source"].to_pylist() == ["t"]


def test_progress_counts_every_row(tmp_path: Path):
    """Progress ends at the number of rows that came in."""
    seen: list[int] = []
    ingest(_agent(_write(tmp_path / "a.csv", _many(50))), tmp_path, on_progress=seen.append)
    assert seen[-1] == 50


def test_a_snapshot_is_loaded_by_folder_digest_or_beginning(tmp_path: Path):
    """All three names give the record that ingest gave."""
    snapshot = ingest(_agent(_write(tmp_path / "a.csv", _many(50))), tmp_path)
    assert load_snapshot(snapshot.artifact.address) == snapshot
    assert load_snapshot(snapshot.artifact.digest, tmp_path) == snapshot
    assert load_snapshot(snapshot.artifact.digest[:12], tmp_path) == snapshot


def test_a_missing_or_broken_record_is_told(tmp_path: Path):
    """A folder without a record, or with a wrong one, is no snapshot."""
    with pytest.raises(ArtifactError, match="holds no snapshot"):
        load_snapshot(tmp_path)
    (tmp_path / "snapshot.json").write_text(json.dumps({"rows": "many"}))
    with pytest.raises(ArtifactError, match="no snapshot's record"):
        load_snapshot(tmp_path)


def test_a_changed_snapshot_does_not_verify(tmp_path: Path):
    """A changed byte is found."""
    snapshot = ingest(_agent(_write(tmp_path / "a.csv", _many(50))), tmp_path)
    verify(snapshot)
    with (Path(snapshot.artifact.address) / "rows.parquet").open("ab") as file:
        file.write(b"x")
    with pytest.raises(ArtifactError, match="was changed"):
        verify(snapshot)


@pytest.mark.system
def test_a_killed_ingest_leaves_nothing_behind(tmp_path: Path):
    """What a killed process was building is removed by the next ingest, and no snapshot is half there."""
    path = _write(tmp_path / "a.csv", _many(300_000))
    code = (
        "from pathlib import Path; from models.schemas import *; from tasks.io.snapshots import ingest\n"
        "c = AgentConfig(name='a', adapter='text_classification', labels=('neg', 'pos'),"
        f" sources=(SourceConfig(address={str(path)!r}),))\n"
        f"ingest(c, Path({str(tmp_path)!r}), on_progress=lambda _: print('on', flush=True))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    process.stdout.readline()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    left = [p.name for p in (tmp_path / "snapshots").iterdir()]
    assert [name[:5] for name in left] == [".tmp-"]
    start = time.monotonic()
    snapshot = ingest(_agent(path), tmp_path)
    assert [p.name for p in (tmp_path / "snapshots").iterdir()] == [snapshot.artifact.digest]
    assert time.monotonic() - start < 60
