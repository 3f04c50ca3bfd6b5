"""Which agents stand on which version of which start."""

from dataclasses import dataclass

from models.schemas.agent import START_PREFIX
from tasks.io.books import Books
from tasks.io.ledger import agents, champion
from tasks.io.provenance import MADE_BY_TAG, START_TAG, START_VERSION_TAG
from tasks.io.versions import versions


@dataclass(frozen=True)
class Standing:
    """A champion that was trained from a start.

    Args:
        agent: The agent.
        start: The start's name.
        version: The start's version that it was trained from.
        newest: The start's champion now.
        learned: Whether it was adapted from a handful of examples, without training.
    """

    agent: str
    start: str
    version: int
    newest: int | None
    learned: bool = False

    @property
    def is_stale(self) -> bool:
        """Tell whether the start has another champion by now."""
        return self.newest is not None and self.newest != self.version


def standings(books: Books) -> tuple[Standing, ...]:
    """List every agent whose champion stands on a start."""
    found = []
    for agent in agents(books.ledger):
        number = champion(books.ledger, agent)
        tags = next((v.tags for v in versions(books, agent) if v.version == number), {})
        if START_TAG in tags:
            start = tags[START_TAG]
            newest = champion(books.ledger, START_PREFIX + start)
            learned = tags.get(MADE_BY_TAG) == "learn"
            found.append(Standing(agent, start, int(tags[START_VERSION_TAG]), newest, learned))
    return tuple(found)


def stale_agents(books: Books) -> tuple[Standing, ...]:
    """List the agents that stand on another version of their start than its champion."""
    return tuple(one for one in standings(books) if one.is_stale)
