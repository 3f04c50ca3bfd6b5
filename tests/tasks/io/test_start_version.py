"""Finding the start that an agent stands on."""

from collections.abc import Callable

import pytest

from models.errors import RegistryError
from tasks.io.books import Books
from tasks.io.start_version import read_start, start_to_use


def test_a_start_that_is_not_there_names_the_command_that_makes_one(books: Books):
    """The message says what to do."""
    with pytest.raises(
        RegistryError, match="`quickstudy meta-train nosuch` or `quickstudy pretrain nosuch` makes one"
    ):
        start_to_use(books, "nosuch")


def test_a_start_without_champion_says_how_to_get_one(books: Books, add_version: Callable[[str], int]):
    """Versions that the gate kept out can be promoted by hand."""
    add_version("start-words")
    with pytest.raises(RegistryError, match="`quickstudy promote start-words VERSION`"):
        start_to_use(books, "words")


def test_a_version_whose_record_is_lost_is_told(books: Books, add_version: Callable[[str], int]):
    """A registered model that no meta-training of ours made can not be stood on."""
    add_version("start-words")
    with pytest.raises(RegistryError, match="version 1 of 'start-words' was made from can not be read"):
        read_start(books, "start-words", 1)
