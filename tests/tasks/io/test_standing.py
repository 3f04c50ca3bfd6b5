"""Which agents stand on a start that has another champion by now."""

from collections.abc import Callable

import pytest

from tasks.io.books import Books
from tasks.io.ledger import IntentRequest, close_intent, open_intent
from tasks.io.provenance import MADE_BY_TAG, START_TAG, START_VERSION_TAG
from tasks.io.standing import Standing, stale_agents, stale_sentence, standings

Add = Callable[[str], int]


@pytest.fixture
def crowned(books: Books, add_version: Add) -> Callable[..., None]:
    """Give a function that registers a version with tags and makes it champion."""

    def crown(agent: str, **tags: str) -> None:
        version = add_version(agent)
        for name, value in tags.items():
            books.client.set_model_version_tag(agent, str(version), name.replace("__", "."), value)
        wanted = IntentRequest(agent, version, version - 1 or None, "because", "test")
        close_intent(books.ledger, open_intent(books.ledger, wanted).id, "done")

    return crown


def _tags(version: int, made_by: str = "fine_tune") -> dict[str, str]:
    tags = {START_TAG: "words", START_VERSION_TAG: str(version), MADE_BY_TAG: made_by}
    return {name.replace(".", "__"): value for name, value in tags.items()}


def _standing(newest: int = 2, **more: object) -> Standing:
    return Standing.model_validate({"agent": "mood", "start": "words", "version": 1, "newest": newest} | more)


def test_an_agent_of_the_present_start_is_not_stale(books: Books, crowned: Callable[..., None]):
    """It stands on the start's champion."""
    crowned("start-words")
    crowned("mood", **_tags(1))
    assert standings(books) == (_standing(newest=1),)
    assert stale_agents(books) == ()


def test_an_agent_of_an_older_start_is_stale(books: Books, crowned: Callable[..., None]):
    """A new champion of the start leaves it behind; an agent without a start is none of this."""
    crowned("start-words")
    crowned("mood", **_tags(1))
    crowned("plain")
    crowned("start-words")
    assert stale_agents(books) == (_standing(),)


@pytest.mark.parametrize(
    ("learned", "command"),
    [(False, "quickstudy train mood"), (True, "quickstudy learn mood --examples FILE")],
)
def test_what_to_do_depends_on_how_the_agent_was_made(learned: bool, command: str):
    """An agent of a handful of examples is learned again, not fine-tuned on them."""
    assert stale_sentence(_standing(learned=learned)).endswith(command)


def test_an_older_version_on_the_start_s_champion_was_not_tried_after_it(
    books: Books, crowned: Callable[..., None]
):
    """After a start went back, the agent's own earlier version is no way out."""
    crowned("start-words")
    crowned("mood", **_tags(1))
    crowned("mood", **_tags(2))
    assert stale_agents(books) == (_standing(version=2, newest=1),)


def test_a_version_that_was_tried_on_the_new_start_is_told(
    books: Books, add_version: Add, crowned: Callable[..., None]
):
    """The same command again would find it done; what is left is to promote it by hand."""
    crowned("start-words")
    crowned("mood", **_tags(1))
    crowned("start-words")
    second = add_version("mood")
    for name, value in _tags(2).items():
        books.client.set_model_version_tag("mood", str(second), name.replace("__", "."), value)
    (found,) = stale_agents(books)
    assert stale_sentence(found).endswith("quickstudy promote mood 2 makes it so by hand")
