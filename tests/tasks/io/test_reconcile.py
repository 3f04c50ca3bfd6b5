"""What reconcile makes of every state that a kill or a person can leave."""

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.io.books import CHAMPION, Books
from tasks.io.ledger import IntentRequest, champion, champion_on, history, lease, open_intent, pending
from tasks.io.promotion import promote
from tasks.io.reconcile import lease_name, reconcile
from tasks.io.versions import champion_version

# MLflow 3.17.2 uses what SQLAlchemy 2.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")

AddVersion = Callable[..., int]
ROOT = Path(__file__).parents[3]


def crown(books: Books, version: int, expected_from: int | None) -> None:
    """Promote a version of `agent`."""
    promote(books, IntentRequest("agent", version, expected_from, "better", "test"))


def test_agreement_needs_nothing(books: Books, add_version: AddVersion):
    """Where all is well, nothing is recorded."""
    add_version()
    crown(books, 1, None)
    assert reconcile(books) == ()


def test_an_intent_whose_alias_moved_is_done(books: Books, add_version: AddVersion):
    """A process that died after moving the alias is finished."""
    add_version()
    open_intent(books.ledger, IntentRequest("agent", 1, None, "first", "test"))
    books.client.set_registered_model_alias("agent", CHAMPION, "1")
    assert [m.state for m in reconcile(books, "agent")] == ["done"]
    assert champion(books.ledger, "agent") == 1


def test_a_move_found_done_counts_from_its_intent(books: Books, add_version: AddVersion):
    """The alias moved long before it was noticed: the new champion is that of the time between, too."""
    add_version()
    intent = open_intent(books.ledger, IntentRequest("agent", 1, None, "first", "test"))
    books.client.set_registered_model_alias("agent", CHAMPION, "1")
    (done,) = reconcile(books, "agent")
    assert done.done_at == intent.at
    assert champion_on(books.ledger, "agent", intent.at) == 1


def test_an_intent_whose_alias_stands_is_undone(books: Books, add_version: AddVersion):
    """A process that died before moving the alias is undone."""
    add_version()
    open_intent(books.ledger, IntentRequest("agent", 1, None, "first", "test"))
    assert [m.state for m in reconcile(books, "agent")] == ["undone"]
    assert champion(books.ledger, "agent") is None


def test_an_intent_whose_alias_is_elsewhere_is_undone_and_the_alias_recorded(
    books: Books, add_version: AddVersion
):
    """A person's move beside a dead process's intent is kept."""
    for _ in range(3):
        add_version()
    crown(books, 1, None)
    open_intent(books.ledger, IntentRequest("agent", 2, 1, "better", "test"))
    books.client.set_registered_model_alias("agent", CHAMPION, "3")
    moves = reconcile(books)
    assert [(m.kind, m.state, m.to_version) for m in moves] == [
        ("promotion", "undone", 2),
        ("observed", "done", 3),
    ]
    assert champion(books.ledger, "agent") == 3


def test_an_alias_moved_by_hand_is_recorded(books: Books, add_version: AddVersion):
    """It keeps its place, and the ledger says that nobody of ours moved it."""
    for _ in range(2):
        add_version()
    crown(books, 1, None)
    books.client.set_registered_model_alias("agent", CHAMPION, "2")
    (move,) = reconcile(books)
    assert (move.kind, move.actor, move.from_version, move.to_version) == ("observed", "unknown", 1, 2)
    assert champion_version(books, "agent") == 2
    assert reconcile(books) == ()


def test_an_alias_that_the_ledger_never_saw_is_recorded(books: Books, add_version: AddVersion):
    """An agent crowned only in the MLflow page is found too."""
    add_version("elsewhere")
    books.client.set_registered_model_alias("elsewhere", CHAMPION, "1")
    (move,) = reconcile(books)
    assert (move.agent, move.from_version, move.to_version) == ("elsewhere", None, 1)


def test_a_deleted_champion_leaves_none(books: Books, add_version: AddVersion):
    """Nothing is put in a deleted champion's place; the record says so."""
    add_version()
    crown(books, 1, None)
    books.client.delete_model_version("agent", "1")
    (move,) = reconcile(books)
    assert (move.from_version, move.to_version) == (1, None)
    assert "There is no champion until" in move.reason
    assert champion_version(books, "agent") is None


def test_a_live_promoter_is_left_alone(books: Books, add_version: AddVersion):
    """Reconcile waits for a promoter at work instead of undoing its intent."""
    add_version()
    found: list[object] = []
    with lease(books.ledger, lease_name("agent")):
        open_intent(books.ledger, IntentRequest("agent", 1, None, "first", "test"))
        waiting = threading.Thread(target=lambda: found.append(reconcile(books, "agent")))
        waiting.start()
        waiting.join(0.5)
        assert waiting.is_alive()
        assert pending(books.ledger, "agent") is not None
        books.client.set_registered_model_alias("agent", CHAMPION, "1")
    waiting.join()
    assert [m.state for m in history(books.ledger, "agent")] == ["done"]


@pytest.mark.system
@pytest.mark.parametrize("point", ["before intent", "intent open", "alias moved", "move done"])
def test_a_promoter_killed_anywhere_is_put_right(books: Books, add_version: AddVersion, point: str):
    """After SIGKILL at any point and a rerun there is one move, and registry and ledger agree."""
    add_version()
    code = f"""
import os, signal
from dataclasses import replace
from pathlib import Path
from tasks.io.books import open_books
from tasks.io.promotion import IntentRequest, promote
def fault(here):
    if here == {point!r}:
        os.kill(os.getpid(), signal.SIGKILL)
mlflow, ledger, scratch = {books.mlflow_uri!r}, {str(books.ledger.url)!r}, Path({str(books.scratch)!r})
books = open_books(mlflow, ledger, {books.artifact_root!r}, scratch)
promote(replace(books, fault=fault), IntentRequest("agent", 1, None, "first", "test"))
"""
    assert (
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False).returncode
        == -9
    )
    reconcile(books)
    assert pending(books.ledger, "agent") is None
    assert champion(books.ledger, "agent") == champion_version(books, "agent")
    crown(books, 1, None)
    assert [m.to_version for m in history(books.ledger, "agent") if m.state == "done"] == [1]
    assert champion_version(books, "agent") == 1
