"""Moves of the champion alias as the ledger keeps them."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from models.errors import LedgerError
from models.schemas import Move
from tasks.io.ledger import (
    IntentRequest,
    champion,
    champion_on,
    close_intent,
    earlier_champions,
    history,
    open_intent,
    pending,
    record_observed,
)


def move(ledger: Engine, to: int, kind: str = "promotion") -> Move:
    """Make a whole move to a version."""
    request = IntentRequest("agent", to, champion(ledger, "agent"), "better", "test", kind)  # type: ignore[arg-type]
    return close_intent(ledger, open_intent(ledger, request).id, "done")


def test_a_new_agent_has_no_champion(ledger: Engine):
    """Nobody is champion before the first move."""
    assert champion(ledger, "agent") is None
    assert history(ledger, "agent") == ()


def test_an_open_intent_moves_nothing_yet(ledger: Engine):
    """The champion changes when the move is done, not when it is wanted."""
    intent = open_intent(ledger, IntentRequest("agent", 1, None, "first", "test"))
    assert champion(ledger, "agent") is None
    assert pending(ledger, "agent") == intent


def test_a_done_move_is_kept_whole(ledger: Engine):
    """Who, why, on which evidence and when come back as they were written."""
    request = IntentRequest("agent", 1, None, "first", "flow train", evidence={"gate": "abc"})
    done = close_intent(ledger, open_intent(ledger, request).id, "done")
    assert history(ledger, "agent") == (done,)
    assert (done.actor, done.reason, done.evidence) == ("flow train", "first", {"gate": "abc"})
    assert done.done_at is not None
    assert done.done_at.tzinfo is not None


def test_one_intent_at_a_time(ledger: Engine):
    """A second intent for the same agent is refused while one is open."""
    open_intent(ledger, IntentRequest("agent", 1, None, "first", "test"))
    with pytest.raises(LedgerError, match="Another move of 'agent'"):
        open_intent(ledger, IntentRequest("agent", 2, None, "second", "test"))


def test_agents_do_not_block_each_other(ledger: Engine):
    """Two agents may have an open intent each."""
    open_intent(ledger, IntentRequest("agent", 1, None, "first", "test"))
    assert open_intent(ledger, IntentRequest("other", 1, None, "first", "test")).agent == "other"


def test_a_stale_decision_is_refused(ledger: Engine):
    """A move decided against a champion that was replaced since is not made."""
    move(ledger, 1)
    move(ledger, 2)
    with pytest.raises(
        LedgerError, match=r"is version 2, and the move to version 3 was decided against version 1"
    ):
        open_intent(ledger, IntentRequest("agent", 3, 1, "late", "test"))


def test_an_undone_move_leaves_the_champion(ledger: Engine):
    """A move that was undone stays in the history and counts for nothing."""
    move(ledger, 1)
    intent = open_intent(ledger, IntentRequest("agent", 2, 1, "better", "test"))
    close_intent(ledger, intent.id, "undone")
    assert champion(ledger, "agent") == 1
    assert [m.state for m in history(ledger, "agent")] == ["done", "undone"]


def test_a_closed_move_stays_closed(ledger: Engine):
    """Closing twice is refused."""
    done = move(ledger, 1)
    with pytest.raises(LedgerError, match="is done already"):
        close_intent(ledger, done.id, "undone")


def test_champion_on_a_date(ledger: Engine):
    """Each moment has the champion of the last move done by then."""
    first, second = move(ledger, 1), move(ledger, 2)
    assert first.done_at is not None
    assert second.done_at is not None
    assert champion_on(ledger, "agent", first.done_at - timedelta(seconds=1)) is None
    assert champion_on(ledger, "agent", first.done_at) == 1
    assert champion_on(ledger, "agent", second.done_at + timedelta(days=1)) == 2


def test_a_moment_without_time_zone_is_refused(ledger: Engine):
    """Nobody has to guess which zone was meant."""
    with pytest.raises(Exception, match="has no time zone"):
        champion_on(ledger, "agent", datetime(2026, 1, 1))


def test_an_observation_is_recorded_once(ledger: Engine):
    """What the ledger knows already is not recorded again."""
    move(ledger, 1)
    seen = record_observed(ledger, "agent", 7, "moved by hand")
    assert seen is not None
    assert (seen.from_version, seen.to_version, seen.actor) == (1, 7, "unknown")
    assert record_observed(ledger, "agent", 7, "moved by hand") is None
    assert champion_on(ledger, "agent", datetime.now(UTC)) == 7


def test_rollbacks_walk_back(ledger: Engine):
    """After a rollback the next one goes one champion further, not back up."""
    for version in (1, 2, 3):
        move(ledger, version)
    assert earlier_champions(history(ledger, "agent")) == (2, 1)
    move(ledger, 2, "rollback")
    assert earlier_champions(history(ledger, "agent")) == (1,)
    move(ledger, 1, "rollback")
    assert earlier_champions(history(ledger, "agent")) == ()


def test_a_promotion_after_a_rollback_stacks_on_it(ledger: Engine):
    """What a rollback took off does not come back."""
    for version in (1, 2, 3):
        move(ledger, version)
    move(ledger, 2, "rollback")
    move(ledger, 5)
    assert earlier_champions(history(ledger, "agent")) == (2, 1)
