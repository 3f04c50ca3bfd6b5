"""What a champion was made from, and how its rows come into a wider snapshot."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.schemas import AgentConfig, ArtifactRef, DatasetSnapshot, SourceConfig
from tasks.io.books import Books
from tasks.io.champion import Champion, read_champion
from tasks.io.snapshots import ingest

LABELS = ("neg", "pos")


def _csv(path: Path, labels: list[str], first: int = 0) -> SourceConfig:
    lines = [f"text {first + i},{label}" for i, label in enumerate(labels)]
    path.write_text("\n".join(["text,label", *lines]) + "\n")
    return SourceConfig(address=str(path))


def _agent(*sources: SourceConfig, labels: tuple[str, ...] = LABELS, **changes: object) -> AgentConfig:
    values = {"name": "a", "adapter": "text_classification", "labels": labels, "sources": sources}
    return AgentConfig.model_validate(values | changes)


def _champion(config: AgentConfig, home: Path) -> Champion:
    snapshot, nothing = ingest(config, home), ArtifactRef(address="", digest="")
    return Champion(agent="a", version=1, run_id="", model=nothing, snapshot=snapshot, config=config)


def _rows(snapshot: DatasetSnapshot) -> pa.Table:
    return pq.read_table(Path(snapshot.artifact.address) / "rows.parquet")


def _retrained(champion: Champion, config: AgentConfig, *window: SourceConfig, home: Path) -> DatasetSnapshot:
    return ingest(champion.widened(config, window), home)


def test_old_rows_keep_their_sources_at_every_retraining(tmp_path: Path):
    """A slice by source holds the same rows after one retraining and after another."""
    config = _agent(_csv(tmp_path / "tickets.csv", ["neg", "pos"]), _csv(tmp_path / "mails.csv", ["pos"], 2))
    champion = _champion(config, tmp_path)
    for number in (1, 2):
        window = _csv(tmp_path / f"window{number}.csv", ["neg"], 10 * number)
        wider = champion.widened(config, (window,))
        champion = champion.model_copy(update={"snapshot": ingest(wider, tmp_path)})
    rows = _rows(champion.snapshot)
    assert dict(zip(rows["text"].to_pylist(), rows["source"].to_pylist(), strict=True)) == {
        "text 0": "tickets",
        "text 1": "tickets",
        "text 2": "mails",
        "text 10": "window1",
        "text 20": "window2",
    }


def test_old_tags_keep_their_sources(tmp_path: Path):
    """Rows of tags carry their source along as rows of text do."""
    (tmp_path / "old.conll").write_text("Ann B-PER\nleft O\n\nBob B-PER\n")
    (tmp_path / "new.conll").write_text("Eve B-PER\n")
    sources = [SourceConfig(address=str(tmp_path / f"{name}.conll")) for name in ("old", "new")]
    config = _agent(sources[0], labels=("PER",), adapter="token_classification")
    found = _retrained(_champion(config, tmp_path), config, sources[1], home=tmp_path)
    assert _rows(found)["source"].to_pylist() == ["new", "old", "old"]


def test_a_window_named_like_the_stored_file_keeps_its_name(tmp_path: Path):
    """The old rows' file takes part in no comparison of names."""
    config = _agent(_csv(tmp_path / "tickets.csv", ["neg", "pos"]))
    window = _csv(tmp_path / "rows.csv", ["pos"], 5)
    found = _retrained(_champion(config, tmp_path), config, window, home=tmp_path)
    assert _rows(found)["source"].to_pylist() == ["rows", "tickets", "tickets"]


def test_old_rows_keep_domains_and_times(tmp_path: Path):
    """What a row's source said of domain and time is said again."""
    (tmp_path / "a.csv").write_text("text,label,at,d\nx,neg,2024-01-01,film\ny,pos,2024-01-02,web\n")
    source = SourceConfig(address=str(tmp_path / "a.csv"), time_column="at", domain_column="d")
    config = _agent(source)
    champion = _champion(config, tmp_path)
    window = _csv(tmp_path / "w.csv", ["pos"], 5)
    rows = _rows(_retrained(champion, config, window, home=tmp_path)).slice(1)
    assert rows.select(["domain", "time"]) == _rows(champion.snapshot).select(["domain", "time"])


@pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")
def test_an_agent_without_versions_has_no_champion(books: Books):
    """No champion is None."""
    assert read_champion(books, "agent") is None
