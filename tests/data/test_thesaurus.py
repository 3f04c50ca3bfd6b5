"""The parts of WordNet's files that the list of synonyms is made of."""

from data.thesaurus import main_sense, read_senses, read_synsets, read_uses


def test_uses_are_read_by_part_of_speech():
    """A satellite adjective counts as an adjective, under the number of its sense."""
    found = read_uses(["happy%3:00:00:: 1 37", "felicitous%5:00:00:happy:00 1 2", "run%2:38:00:: 4 9"])
    assert found == {("happy", "adj", 1): 37, ("felicitous", "adj", 1): 2, ("run", "verb", 4): 9}


def test_words_of_a_synset_are_read_without_their_markers():
    """The count is hexadecimal, and where an adjective stands is no part of it."""
    line = "00001740 00 s 02 glad(p) 0 happy 1 000 | feeling joy"
    assert list(read_synsets(iter([line]))) == [(1740, ["glad", "happy"])]


def test_senses_come_in_order():
    """The places of a word's synsets stand at the end of its line, the commonest first."""
    assert list(read_senses(iter(["film n 2 1 @ 2 2 00000011 00000022  "]))) == [("film", [11, 22])]


def test_a_word_of_many_meanings_has_no_main_one():
    """Half of the uses make a sense the main one; fewer do not, nor does a single use."""
    senses = {"noun": [1, 2], "verb": [3]}
    assert main_sense("bank", senses, {("bank", "noun", 1): 5, ("bank", "verb", 1): 5}) == ("noun", 1)
    assert (
        main_sense("bank", senses, {("bank", "noun", n): 2 for n in (1, 2)} | {("bank", "verb", 1): 2})
        is None
    )
    assert main_sense("bank", senses, {("bank", "noun", 1): 1}) is None
