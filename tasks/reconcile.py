"""Step `reconcile`: finish or undo what a killed process left, and notice what a person moved."""

import logging

from tasks.caching import effect_step
from tasks.io.home import current_home
from tasks.io.reconcile import reconcile as put_right
from tasks.io.tracking import close_dead_runs
from tasks.io.working import sweep

logger = logging.getLogger(__name__)


@effect_step
def reconcile(agent: str) -> None:
    """Bring ledger and registry into agreement before anything new is decided.

    Args:
        agent: The agent's name.
    """
    home = current_home()
    sweep(home.root, home.scratch, home.encoded, home.evaluations, home.cache / "keys")
    sweep(*home.trainings.glob("*"))
    books = home.books()
    close_dead_runs(books, agent)
    for move in put_right(books, agent):
        logger.warning("%s: a move to version %s is %s: %s", agent, move.to_version, move.state, move.reason)
