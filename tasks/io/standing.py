"""Which agents stand on which version of which start."""

from models.schemas.agent import START_PREFIX
from models.schemas.base import Record
from tasks.io.books import Books
from tasks.io.ledger import agents, champion
from tasks.io.provenance import MADE_BY_TAG, START_TAG, START_VERSION_TAG
from tasks.io.versions import versions


class Standing(Record):
    """A champion that was trained from a start.

    Args:
        agent: The agent.
        start: The start's name.
        version: The start's version that it was trained from.
        newest: The start's champion now.
        learned: Whether it was adapted from a handful of examples, without training.
        tried: A later version of the agent that stands on the start's champion and is not the agent's.
    """

    agent: str
    start: str
    version: int
    newest: int | None
    learned: bool = False
    tried: int | None = None

    @property
    def is_stale(self) -> bool:
        """Tell whether the start has another champion by now."""
        return self.newest is not None and self.newest != self.version


def standings(books: Books) -> tuple[Standing, ...]:
    """List every agent whose champion stands on a start."""
    found = []
    for agent in agents(books.ledger):
        number = champion(books.ledger, agent) or 0
        made = versions(books, agent)
        tags = next((v.tags for v in made if v.version == number), {})
        if START_TAG in tags:
            start = tags[START_TAG]
            newest = champion(books.ledger, START_PREFIX + start)
            on_newest = {START_TAG: start, START_VERSION_TAG: str(newest)}.items()
            later = [v.version for v in made if on_newest <= v.tags.items()]
            found.append(
                Standing(
                    agent=agent,
                    start=start,
                    version=int(tags[START_VERSION_TAG]),
                    newest=newest,
                    learned=tags.get(MADE_BY_TAG) == "learn",
                    tried=max((n for n in later if n > number), default=None),
                )
            )
    return tuple(found)


def stale_agents(books: Books) -> tuple[Standing, ...]:
    """List the agents that stand on another version of their start than its champion."""
    return tuple(one for one in standings(books) if one.is_stale)


def stale_sentence(one: Standing) -> str:
    """Say which start an agent stands on, that there is a newer one, and what to do."""
    said = (
        f"{one.agent} stands on version {one.version} of start {one.start}, whose champion is version "
        f"{one.newest} now: "
    )
    if one.tried is not None:
        return said + (
            f"version {one.tried} of {one.agent} stands on that one and is not champion; "
            f"quickstudy promote {one.agent} {one.tried} makes it so by hand"
        )
    return said + f"quickstudy {'learn {} --examples FILE' if one.learned else 'train {}'}".format(one.agent)
