"""Which rows a source or a document holds out."""

from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from models.schemas import AgentConfig, DatasetSnapshot
from tasks.io.snapshots import ingest


def _agent(*sources: dict[str, object]) -> AgentConfig:
    values = {"name": "a", "adapter": "text_classification", "labels": ["neg", "pos"], "sources": sources}
    return AgentConfig.model_validate(values)


def _write(path: Path, first: int) -> str:
    rows = [f"text number {i},{'pos' if i % 3 else 'neg'},book {i % 10}" for i in range(first, first + 200)]
    path.write_text("\n".join(["text,label,book", *rows]) + "\n")
    return str(path)


def _splits(snapshot: DatasetSnapshot, column: str, value: str) -> set[str]:
    rows = pq.read_table(Path(snapshot.artifact.address) / "rows.parquet")
    return set(rows.filter(pc.equal(rows[column], value))["split"].to_pylist())


def test_a_source_can_be_held_out_or_kept_in(tmp_path: Path):
    """All rows of the one are for evaluation, none of the other; the latter still has validation rows."""
    train, test = _write(tmp_path / "train.csv", 0), _write(tmp_path / "test.csv", 200)
    config = _agent({"address": train, "held_out": False}, {"address": test, "held_out": True})
    for find_duplicates in (True, False):
        snapshot = ingest(config, tmp_path, find_duplicates=find_duplicates)
        assert _splits(snapshot, "source", "test") == {"test"}
        assert _splits(snapshot, "source", "train") == {"train", "validation"}


def test_rows_of_a_document_are_held_out_together(tmp_path: Path):
    """Each document is in one split, and there are documents in more than one."""
    config = _agent({"address": _write(tmp_path / "a.csv", 0), "document_column": "book"})
    config = config.model_copy(update={"test_share": 0.3, "validation_share": 0.3})
    rows = pq.read_table(Path(ingest(config, tmp_path).artifact.address) / "rows.parquet")
    books = pc.utf8_slice_codeunits(rows["text"], 12).cast("int64").to_numpy() % 10
    found = {(int(book), split) for book, split in zip(books, rows["split"].to_pylist(), strict=True)}
    assert len(found) == 10
    assert len({split for _, split in found}) > 1


def test_a_text_in_two_splits_is_counted(tmp_path: Path):
    """The first one stays, and the other, which would have been held out, is a duplicate."""
    train, test = _write(tmp_path / "train.csv", 0), _write(tmp_path / "test.csv", 150)
    config = _agent({"address": train, "held_out": False}, {"address": test, "held_out": True})
    snapshot = ingest(config, tmp_path)
    assert (snapshot.exact_duplicates, snapshot.in_two_splits) == (50, 50)


def test_stored_rows_stay_where_they_were(tmp_path: Path):
    """A row that was held out once is so in every later snapshot, whatever its own hash says."""
    train, test = _write(tmp_path / "train.csv", 0), _write(tmp_path / "test.csv", 200)
    first = ingest(
        _agent({"address": train, "held_out": False}, {"address": test, "held_out": True}), tmp_path
    )
    stored = str(Path(first.artifact.address) / "rows.parquet")
    new = _write(tmp_path / "new.csv", 400)
    again = ingest(_agent({"address": new}, {"address": stored, "format": "snapshot"}), tmp_path)
    assert _splits(again, "source", "test") == {"test"}
    assert _splits(again, "source", "train") == {"train", "validation"}


def test_rows_without_a_document_stand_for_themselves(tmp_path: Path):
    """An empty name is no document that all of them belong to."""
    rows = [f"text number {i},{'pos' if i % 3 else 'neg'}," for i in range(300)]
    (tmp_path / "a.csv").write_text("\n".join(["text,label,book", *rows]) + "\n")
    snapshot = ingest(_agent({"address": str(tmp_path / "a.csv"), "document_column": "book"}), tmp_path)
    assert min(snapshot.split_counts.values()) > 0
