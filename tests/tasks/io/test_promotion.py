"""Promotion and rollback on a real registry."""

import shutil
from collections.abc import Callable

import pytest

from models.errors import ArtifactError, LedgerError, RegistryError
from tasks.io.books import CHAMPION, Books
from tasks.io.ledger import champion, history
from tasks.io.promotion import IntentRequest, promote, rollback
from tasks.io.versions import champion_version, package_folder

# MLflow 3.17.2 uses what SQLAlchemy 2.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")

AddVersion = Callable[..., int]


def crown(books: Books, version: int, expected_from: int | None) -> None:
    """Promote a version of `agent`."""
    promote(books, IntentRequest("agent", version, expected_from, "better", "test", evidence={"gate": "g"}))


def test_a_promotion_moves_the_alias_and_says_so(books: Books, add_version: AddVersion):
    """Registry and ledger both name the new champion, with actor, reason and evidence."""
    version = add_version()
    move = promote(books, IntentRequest("agent", version, None, "first", "flow", evidence={"gate": "g"}))
    assert champion_version(books, "agent") == champion(books.ledger, "agent") == version
    assert (move.state, move.actor, move.reason, move.evidence) == ("done", "flow", "first", {"gate": "g"})


def test_promoting_the_champion_again_adds_nothing(books: Books, add_version: AddVersion):
    """A repeated step finds its move done."""
    add_version()
    crown(books, 1, None)
    before = history(books.ledger, "agent")
    crown(books, 1, None)
    assert history(books.ledger, "agent") == before


def test_a_stale_promotion_is_refused(books: Books, add_version: AddVersion):
    """A decision against a replaced champion moves nothing and leaves no line."""
    for _ in range(3):
        add_version()
    crown(books, 1, None)
    crown(books, 2, 1)
    with pytest.raises(LedgerError, match="is version 2"):
        crown(books, 3, 1)
    assert champion_version(books, "agent") == 2
    assert len(history(books.ledger, "agent")) == 2


def test_a_version_that_is_not_there_is_refused(books: Books, add_version: AddVersion):
    """The error lists the versions that are."""
    add_version()
    with pytest.raises(RegistryError, match=r"no version 9; its versions are: 1"):
        crown(books, 9, None)


def test_a_changed_version_is_refused(books: Books, add_version: AddVersion):
    """A version whose files differ from those registered can not become champion."""
    add_version()
    (package_folder(books, "agent", 1) / "MLmodel").write_text("changed")
    with pytest.raises(ArtifactError, match="are not those that were registered"):
        crown(books, 1, None)
    assert history(books.ledger, "agent") == ()


def test_rollback_restores_the_champion_before(books: Books, add_version: AddVersion):
    """One rollback goes one champion back, two go two back."""
    for version in range(1, 4):
        add_version()
        crown(books, version, version - 1 or None)
    assert rollback(books, "agent", "bad", "me").to_version == 2
    assert rollback(books, "agent", "bad", "me").to_version == 1
    assert champion_version(books, "agent") == 1
    with pytest.raises(LedgerError, match="no earlier champion"):
        rollback(books, "agent", "bad", "me")


def test_rollback_passes_over_what_is_gone(books: Books, add_version: AddVersion):
    """A deleted and an emptied version are passed over, and the move says so."""
    for version in range(1, 5):
        add_version()
        crown(books, version, version - 1 or None)
    books.client.delete_model_version("agent", "3")
    shutil.rmtree(package_folder(books, "agent", 2))
    move = rollback(books, "agent", "bad", "me")
    assert (move.from_version, move.to_version) == (4, 1)
    assert "version 3, version 2 passed over" in move.reason


def test_rollback_after_the_champion_was_deleted(books: Books, add_version: AddVersion):
    """A deleted champion can be rolled back from."""
    for version in (1, 2):
        add_version()
        crown(books, version, version - 1 or None)
    books.client.delete_model_version("agent", "2")
    move = rollback(books, "agent", "deleted", "me")
    assert (move.from_version, move.to_version) == (None, 1)


def test_rollback_without_a_history_is_refused(books: Books):
    """An agent that nobody knows has nothing to go back to."""
    with pytest.raises(LedgerError, match="its champion is no version"):
        rollback(books, "agent", "bad", "me")


def test_a_rollback_that_was_cut_off_is_finished_once(
    books: Books, add_version: AddVersion, stopping_at: Callable[[str], Books]
):
    """Repeating a rollback that died after the alias moved does not roll back twice."""
    for version in range(1, 4):
        add_version()
        crown(books, version, version - 1 or None)
    with pytest.raises(Exception, match="alias moved"):
        rollback(stopping_at("alias moved"), "agent", "bad", "me")
    assert rollback(books, "agent", "bad", "me").to_version == 2


def test_an_alias_moved_by_hand_is_seen_before_a_promotion(books: Books, add_version: AddVersion):
    """A promotion decided before somebody moved the alias is refused, and their move is recorded."""
    for _ in range(3):
        add_version()
    crown(books, 1, None)
    books.client.set_registered_model_alias("agent", CHAMPION, "2")
    with pytest.raises(LedgerError, match="is version 2"):
        crown(books, 3, 1)
    assert [m.kind for m in history(books.ledger, "agent")] == ["promotion", "observed"]
