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


def test_a_renamed_label_is_renamed_in_old_rows(tmp_path: Path):
    """What the sources' label_map says of a name that the agent no longer has goes for stored rows too."""
    old = _csv(tmp_path / "a.csv", ["neg", "pos"] * 5)
    champion = _champion(_agent(old), tmp_path)
    renamed = old.model_copy(update={"label_map": {"neg": "bad", "pos": "good"}})
    found = _retrained(champion, _agent(renamed, labels=("bad", "good")), home=tmp_path)
    assert found.label_counts == {"bad": 5, "good": 5}
    assert found.rows == 10


def test_a_window_s_label_map_goes_for_old_rows(tmp_path: Path):
    """The maps of window and agent are taken together."""
    champion = _champion(_agent(_csv(tmp_path / "a.csv", ["neg", "pos"] * 5)), tmp_path)
    window = _csv(tmp_path / "w.csv", ["pos"], 50)
    mapped = window.model_copy(update={"label_map": {"neg": "bad"}})
    found = _retrained(champion, _agent(window, labels=("bad", "pos")), mapped, home=tmp_path)
    assert found.label_counts == {"bad": 5, "pos": 6}


def test_a_label_that_the_agent_has_is_never_renamed_in_old_rows(tmp_path: Path):
    """A map from one source's `pos` to `neg` says nothing about rows that were called `pos` already."""
    champion = _champion(_agent(_csv(tmp_path / "a.csv", ["neg", "pos"] * 5)), tmp_path)
    window = _csv(tmp_path / "w.csv", ["pos"], 50).model_copy(update={"label_map": {"pos": "neg"}})
    found = _retrained(champion, _agent(window), window, home=tmp_path)
    assert found.label_counts == {"neg": 6, "pos": 5}


def test_rows_of_a_dropped_label_are_left_out_and_not_bad(tmp_path: Path):
    """However many they are, they are counted apart and the retraining goes on."""
    champion = _champion(
        _agent(_csv(tmp_path / "a.csv", ["neg", "pos", "odd"] * 5), labels=(*LABELS, "odd")), tmp_path
    )
    config = _agent(_csv(tmp_path / "w.csv", ["pos"], 50), max_quarantine_share=0)
    found = _retrained(champion, config, home=tmp_path)
    assert (found.rows, found.reasons) == (11, {"label no longer used": 5})


def test_a_name_that_two_sources_map_differently_is_not_renamed(tmp_path: Path):
    """Which of the two a stored row meant can't be told, so it is left out."""
    champion = _champion(_agent(_csv(tmp_path / "a.csv", ["neg", "pos"] * 5)), tmp_path)
    one, two = (
        _csv(tmp_path / f"{new}.csv", [new], first).model_copy(update={"label_map": {"neg": new}})
        for new, first in (("bad", 50), ("sad", 60))
    )
    found = _retrained(champion, _agent(one, two, labels=("bad", "sad", "pos")), home=tmp_path)
    assert (found.label_counts, found.reasons) == (
        {"bad": 1, "sad": 1, "pos": 5},
        {"label no longer used": 5},
    )


def test_rows_with_a_dropped_entity_type_are_left_out(tmp_path: Path):
    """A sentence with an entity that the agent no longer knows would teach it to overlook it."""
    (tmp_path / "a.conll").write_text("Ann B-PER\n\nRome B-LOC\n\nleft O\n")
    (tmp_path / "w.conll").write_text("Eve B-PER\n")
    old, window = (SourceConfig(address=str(tmp_path / f"{n}.conll")) for n in ("a", "w"))
    tags = {"adapter": "token_classification"}
    champion = _champion(_agent(old, labels=("PER", "LOC"), **tags), tmp_path)
    found = _retrained(champion, _agent(window, labels=("PER",), **tags), home=tmp_path)
    assert (found.rows, found.reasons) == (3, {"label no longer used": 1})


@pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")
def test_an_agent_without_versions_has_no_champion(books: Books):
    """No champion is None."""
    assert read_champion(books, "agent") is None
