"""Move the champion: intent in the ledger, then the alias in MLflow, then done in the ledger.

Compare-and-set holds among our writers by the agent's lease and the ledger's check of the expected champion.
MLflow itself compares nothing, so an alias that a person moves at the same instant is seen by the next
`reconcile`, not prevented.
"""

import logging

from models.errors import ArtifactError, LedgerError, RegistryError
from models.schemas import Move
from tasks.io.books import CHAMPION, Books
from tasks.io.ledger import (
    IntentRequest,
    Lease,
    champion,
    close_intent,
    earlier_champions,
    history,
    lease,
    open_intent,
)
from tasks.io.ledger.moves import stale_message, version_text
from tasks.io.reconcile import lease_name, reconcile_held
from tasks.io.versions import verify_artifact

__all__ = ["IntentRequest", "promote", "rollback"]

logger = logging.getLogger(__name__)


def promote(books: Books, wanted: IntentRequest) -> Move:
    """Make a version the champion, if the champion still is the one that the decision was made against.

    A version that is champion already is left alone, and the move that made it so is given back: a
    repeated run adds nothing.

    Raises:
        RegistryError: If the version is not in the registry.
        ArtifactError: If its files are gone or changed.
        LedgerError: If the champion changed since the decision.
    """
    with lease(books.ledger, lease_name(wanted.agent)) as held:
        reconcile_held(books, wanted.agent, held)
        present = champion(books.ledger, wanted.agent)
        if present == wanted.to_version:
            return _last_done(books, wanted.agent)
        if present != wanted.expected_from:
            raise LedgerError(stale_message(wanted, present))
        verify_artifact(books, wanted.agent, wanted.to_version)
        return _move(books, wanted, held)


def rollback(books: Books, agent: str, reason: str, actor: str) -> Move:
    """Restore the champion before the present one.

    Two rollbacks in a row walk two champions back; they do not toggle. A version that was deleted, or whose
    files are not what was registered, is passed over, and the reason says so. A rollback that an earlier
    call began and was killed in is finished by this one, not followed by another.

    Raises:
        LedgerError: If there is no earlier champion that can be restored.
    """
    with lease(books.ledger, lease_name(agent)) as held:
        for move in reconcile_held(books, agent, held):
            if (move.kind, move.state, move.actor) == ("rollback", "done", actor):
                return move
        present = champion(books.ledger, agent)
        passed: list[str] = []
        for version in earlier_champions(history(books.ledger, agent)):
            try:
                verify_artifact(books, agent, version)
            except (RegistryError, ArtifactError) as error:
                logger.warning("Rollback of %s passes version %d over: %s", agent, version, error)
                passed.append(f"version {version}")
                continue
            note = f" ({', '.join(passed)} passed over: deleted or changed)" if passed else ""
            wanted = IntentRequest(agent, version, present, f"{reason}{note}", actor, "rollback")
            return _move(books, wanted, held)
    tried = f" ({', '.join(passed)} can not be loaded)" if passed else ""
    raise LedgerError(
        f"Agent {agent!r} has no earlier champion to go back to{tried}; its champion is "
        f"{version_text(present)}. Promote a version by name: `quickstudy promote {agent} VERSION`."
    )


def _move(books: Books, wanted: IntentRequest, held: Lease) -> Move:
    books.fault("before intent")
    intent = open_intent(books.ledger, wanted)
    books.fault("intent open")
    held.check()
    books.client.set_registered_model_alias(wanted.agent, CHAMPION, str(wanted.to_version))
    books.fault("alias moved")
    done = close_intent(books.ledger, intent.id, "done")
    books.fault("move done")
    logger.info(
        "Champion of %s: %s -> version %d", done.agent, version_text(done.from_version), wanted.to_version
    )
    return done


def _last_done(books: Books, agent: str) -> Move:
    return next(move for move in reversed(history(books.ledger, agent)) if move.state == "done")
