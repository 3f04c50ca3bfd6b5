"""Each perturbation for itself."""

import numpy as np
import pyarrow as pa
import pytest

from models.perturb import Dose
from models.perturb.casing import Casing
from models.perturb.entity_swaps import EntitySwaps
from models.perturb.synonyms import Synonyms
from models.perturb.typos import Typos

ALL = Dose(1.0, 0)


def rows(*texts: str) -> pa.Table:
    """Make rows of texts."""
    return pa.table({"text_hash": pa.array(np.arange(len(texts)), pa.uint64()), "text": list(texts)})


def tagged(tokens: list[list[str]], tags: list[list[str]]) -> pa.Table:
    """Make rows of tagged words."""
    return pa.table(
        {"text_hash": pa.array(np.arange(len(tokens)), pa.uint64()), "tokens": tokens, "tags": tags}
    )


def edits(one: str, other: str) -> int:
    """Count the letters to insert, delete or replace between two words."""
    line = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        previous, line[0] = line[0], i
        for j, wanted in enumerate(other, start=1):
            previous, line[j] = line[j], min(line[j] + 1, line[j - 1] + 1, previous + (letter != wanted))
    return line[-1]


def test_a_typo_is_one_slip_inside_the_word():
    """First letter and marks stay, and one slip is at most two edits (a swap)."""
    words = ["wonderful,"] * 200
    changed = Typos().apply(rows(*words), "text", ALL)["text"].to_pylist()
    assert all(1 <= edits("wonderful,", one) <= 2 and one[0] == "w" and one[-1] == "," for one in changed)
    assert len(set(changed)) > 15
    assert {len(one) for one in changed} == {9, 10, 11}


def test_short_words_and_numbers_have_no_typos():
    """Three letters or digits are left alone."""
    assert Typos().apply(rows("the 12345 of it"), "text", ALL)["text"].to_pylist() == ["the 12345 of it"]


def test_equal_letters_that_are_swapped_are_a_slip_too():
    """A swap that would change nothing drops a letter instead."""
    changed = Typos().apply(rows(*["aaaaaa"] * 50), "text", ALL)["text"].to_pylist()
    assert "aaaaaa" not in changed


def test_case_is_turned():
    """Capitals go, and small words are shouted."""
    changed = Casing().apply(rows("Anna met NATO in rome, é"), "text", ALL)["text"].to_pylist()
    assert changed == ["anna MET nato IN ROME, É"]


def test_synonyms_keep_case_and_marks():
    """A listed word gives way to the other words for it, with its case and the mark after it."""
    changed = Synonyms().apply(rows("Movie, MOVIE the movie!"), "text", ALL)["text"].to_pylist()
    assert changed == ["Film, FILM the film!"]


def test_synonyms_are_drawn_from_the_whole_list():
    """Where there are several other words, each of them comes up."""
    changed = Synonyms().apply(rows(*["remember"] * 60), "text", ALL)["text"].to_pylist()
    assert set(changed) == {"recall", "recollect"}


def test_synonyms_leave_names_alone():
    """A word of an entity is a name, whatever it means otherwise."""
    table = tagged([["Movie", "movie"]], [["B-org", "O"]])
    assert Synonyms().apply(table, "tokens", ALL)["tokens"].to_pylist() == [["Movie", "film"]]


def test_entities_swap_with_their_own_kind():
    """Each name gives way to the other of its type, however many words it has."""
    table = tagged(
        [["in", "New", "York", "with", "Bob"], ["Rome", "saw", "Ada", "Lovelace"]],
        [["O", "B-loc", "I-loc", "O", "B-per"], ["B-loc", "O", "B-per", "I-per"]],
    )
    changed = EntitySwaps().apply(table, "tokens", ALL)
    assert changed["tokens"].to_pylist() == [
        ["in", "Rome", "with", "Ada", "Lovelace"],
        ["New", "York", "saw", "Bob"],
    ]
    assert changed["tags"].to_pylist() == [
        ["O", "B-loc", "O", "B-per", "I-per"],
        ["B-loc", "I-loc", "O", "B-per"],
    ]


def test_a_lone_entity_stays():
    """The only name of its type has nothing to swap with."""
    table = tagged([["Rome", "saw", "Bob"]], [["B-loc", "O", "B-per"]])
    assert EntitySwaps().apply(table, "tokens", ALL) == table


@pytest.mark.parametrize(("share", "low", "high"), [(0.1, 0.06, 0.15), (0.5, 0.44, 0.56), (1.0, 1.0, 1.0)])
def test_the_share_of_words_is_the_doses(share: float, low: float, high: float):
    """Of many words about as many change as the dose says."""
    text = " ".join(["wonderful"] * 1000)
    changed = Typos().apply(rows(text), "text", Dose(share, 0))["text"][0].as_py().split()
    assert low <= sum(word != "wonderful" for word in changed) / 1000 <= high


def test_one_word_at_least_is_changed():
    """A small share changes a word of every short text that has one to change."""
    changed = Casing().apply(rows("fine by me", "so so"), "text", Dose(0.001, 0))["text"].to_pylist()
    assert [sum(word.isupper() for word in one.split()) for one in changed] == [1, 1]
