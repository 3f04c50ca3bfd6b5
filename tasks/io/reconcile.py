"""Make ledger and registry agree again after a kill, or after somebody moved an alias past the ledger.

An open intent whose alias stands at the target is done; in any other place it is undone, so the step that
wanted the move decides again. An alias that then differs from the ledger's champion was moved by somebody
else: that is recorded as `observed` by actor `unknown`, and left as it is. An alias that is gone (its version
was deleted) leaves no champion until the next promotion or rollback; nothing is put in its place silently.
Everything happens under the agent's lease, which a live promoter holds, so its intent is never touched.
"""

import logging

from models.schemas import Move
from tasks.io.books import Books
from tasks.io.ledger import Lease, agents, champion, close_intent, lease, pending, record_observed
from tasks.io.ledger.moves import version_text
from tasks.io.versions import champion_version, registered_agents

logger = logging.getLogger(__name__)


def lease_name(agent: str) -> str:
    """Name the lease under which an agent's champion is moved."""
    return f"champion {agent}"


def reconcile(books: Books, agent: str | None = None) -> tuple[Move, ...]:
    """Make ledger and registry agree; give the moves that were closed or recorded, none if all was well.

    Args:
        books: The record.
        agent: One agent; None: every agent that the ledger or the registry knows.
    """
    names = [agent] if agent else sorted({*agents(books.ledger), *registered_agents(books)})
    changed: list[Move] = []
    for name in names:
        if _agrees(books, name):
            continue  # the common case needs no lease
        with lease(books.ledger, lease_name(name)) as held:
            changed += reconcile_held(books, name, held)
    return tuple(changed)


def reconcile_held(books: Books, agent: str, held: Lease) -> tuple[Move, ...]:
    """Do the same for one agent whose lease is held already."""
    changed: list[Move] = []
    intent = pending(books.ledger, agent)
    actual = champion_version(books, agent)
    held.check()
    if intent is not None:
        closed = _close(books, intent, actual)
        logger.info("A move of %s to version %s, left open, is %s", agent, closed.to_version, closed.state)
        changed.append(closed)
    before = champion(books.ledger, agent)
    if before != actual:
        observed = record_observed(books.ledger, agent, actual, _observation(before, actual))
        if observed is not None:
            logger.warning("%s: %s", agent, observed.reason)
            changed.append(observed)
    return tuple(changed)


def _close(books: Books, intent: Move, actual: int | None) -> Move:
    """Close an intent by where the alias stands; one that is done counts from when it was wanted.

    The alias moved right after the intent was written, however much later that is noticed.
    """
    if actual == intent.to_version:
        return close_intent(books.ledger, intent.id, "done", done_at=intent.at)
    return close_intent(books.ledger, intent.id, "undone")


def _agrees(books: Books, agent: str) -> bool:
    if pending(books.ledger, agent) is not None:
        return False
    return champion(books.ledger, agent) == champion_version(books, agent)


def _observation(before: int | None, actual: int | None) -> str:
    if actual is not None:
        return (
            f"The alias was found on {version_text(actual)} instead of {version_text(before)}: it was moved "
            "outside of quickstudy."
        )
    return (
        f"The alias is gone from {version_text(before)}: it was removed, or the version was deleted, outside "
        "of quickstudy. There is no champion until the next promotion or rollback."
    )
