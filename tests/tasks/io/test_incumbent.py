"""A champion that can be compared with, and each way in which it can't."""

from collections.abc import Callable
from pathlib import Path

import pytest

from models.errors import LedgerError, RegistryError
from models.schemas import AgentConfig, ArtifactRef, DatasetSnapshot, GateReport, SourceConfig
from tasks.io.books import CHAMPION, Books
from tasks.io.digests import ref_to
from tasks.io.incumbent import required_champion, sound_version, unusable_champion, usable_champion
from tasks.io.ledger import IntentRequest, history
from tasks.io.model_package import stored_digest
from tasks.io.outcome import Judged, carry_out
from tasks.io.promotion import promote
from tasks.io.tracking import log_record, open_run
from tasks.io.versions import package_folder

# MLflow 3.17.2 uses what SQLAlchemy 2.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")

CONFIG = AgentConfig(
    name="agent",
    adapter="text_classification",
    labels=("a", "b"),
    sources=(SourceConfig(address="rows.csv"),),
)
PROMOTE = GateReport(verdict="promote", reason="It beats the baselines.", rows=10)
Damage = Callable[[Books], None]


def unjudged(books: Books, version: int) -> Judged:
    """Give a version that the gate wants promoted, where no champion could be compared with."""
    return Judged("agent", version, None, unusable_champion(books, "agent", sound_version), PROMOTE)


def add(books: Books, training: str, snapshot: ArtifactRef) -> int:
    """Register a version as quickstudy would, with a run that says what it was made from."""
    run = open_run(books, "agent", training, {})
    counts = {"rows": 1, "quarantined": 0, "split_counts": {}, "label_counts": {}}
    record = DatasetSnapshot.model_validate({"artifact": snapshot, "adapter": CONFIG.adapter, **counts})
    log_record(books, run.run_id, "snapshot.json", record)
    log_record(books, run.run_id, "config.json", CONFIG)
    if not books.client.search_registered_models("name = 'agent'"):
        books.client.create_registered_model("agent")
    folder = books.scratch / training
    folder.mkdir()
    (folder / "MLmodel").write_text(training)
    tags = {"training_digest": training, "stored_digest": stored_digest(folder), "model_digest": "d"}
    named = {f"quickstudy.{name}": value for name, value in tags.items()}
    return int(books.client.create_model_version("agent", str(folder), run.run_id, tags=named).version)


@pytest.fixture
def rows(tmp_path: Path) -> ArtifactRef:
    """Make what stands for a snapshot's folder."""
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows" / "rows.parquet").write_text("1")
    return ref_to(tmp_path / "rows")


@pytest.fixture
def crowned(books: Books, rows: ArtifactRef) -> Books:
    """Make version 1 champion by the book."""
    promote(books, IntentRequest("agent", add(books, "first", rows), None, "better", "test"))
    return books


def damaged_files(books: Books) -> None:
    """Change a file of the model."""
    (package_folder(books, "agent", 1) / "MLmodel").write_text("changed")


def damaged_rows(books: Books) -> None:
    """Change the rows that it learned from."""
    (books.scratch.parent.parent / "rows" / "rows.parquet").write_text("2")


def lost_record(books: Books) -> None:
    """Remove what its run says of it."""
    for path in Path(books.artifact_root).rglob("snapshot.json"):
        path.unlink()


def lost_run(books: Books) -> None:
    """Delete its run for good."""
    run_id = books.client.get_model_version("agent", "1").run_id
    assert run_id
    for path in sorted(Path(books.artifact_root).rglob(f"{run_id}/**/*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    books.client.delete_run(run_id)


def foreign_champion(books: Books) -> None:
    """Put somebody else's model in its place."""
    folder = books.scratch / "foreign"
    folder.mkdir()
    (folder / "MLmodel").write_text("foreign")
    version = books.client.create_model_version("agent", str(folder))
    books.client.set_registered_model_alias("agent", CHAMPION, version.version)


def test_a_whole_champion_is_used(crowned: Books):
    """It is described from what its run recorded."""
    champion = usable_champion(crowned, "agent", sound_version)
    assert champion is not None
    assert (champion.version, champion.config) == (1, CONFIG)
    assert required_champion(crowned, "agent") == champion
    assert unusable_champion(crowned, "agent", sound_version) is None


def test_no_champion_is_none(books: Books):
    """Where nobody is champion nobody is unusable either."""
    assert (
        usable_champion(books, "agent", sound_version),
        unusable_champion(books, "agent", sound_version),
    ) == (None, None)


@pytest.mark.parametrize("damage", [damaged_files, damaged_rows, lost_record, lost_run, foreign_champion])
def test_an_unusable_champion_is_none_and_said_aloud(
    crowned: Books, damage: Damage, caplog: pytest.LogCaptureFixture
):
    """A challenger then has only the baselines to beat, and the log says why."""
    damage(crowned)
    assert usable_champion(crowned, "agent", sound_version) is None
    assert "can not be compared with" in caplog.text


def test_a_retraining_asks_for_a_training(crowned: Books):
    """What goes on from the champion's rows names the command that does not."""
    damaged_files(crowned)
    with pytest.raises(RegistryError, match=r"Version 1 is champion and .*Run `quickstudy train agent`"):
        required_champion(crowned, "agent")


def test_an_unusable_champion_is_replaced_and_the_ledger_says_so(crowned: Books, rows: ArtifactRef):
    """The move goes from the damaged version to the new one and names the damage."""
    damaged_files(crowned)
    decision = carry_out(crowned, unjudged(crowned, add(crowned, "second", rows)))
    move = history(crowned.ledger, "agent")[-1]
    assert (decision.verdict, move.from_version, move.to_version) == ("promoted", 1, 2)
    assert "It beats the baselines. Version 1 is champion and can not be compared with." in move.reason


def test_a_champion_that_came_meanwhile_is_not_replaced(crowned: Books, rows: ArtifactRef):
    """A verdict that was found without a champion moves no champion that can be compared with."""
    with pytest.raises(LedgerError, match="was decided against no version"):
        carry_out(crowned, unjudged(crowned, add(crowned, "second", rows)))
