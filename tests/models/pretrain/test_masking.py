import numpy as np
import pytest

from models.encoder import load_tokenizer
from models.pretrain.masking import choose_words, folds_of_words, replaced
from models.pretrain.words import WordTable
from models.pretrained import DEFAULT_ENCODER
from models.ragged import Ragged

TEXT = "unbelievably long neighbourhoods misunderstand preprocessing, overwhelmingly so"


@pytest.fixture(scope="module")
def table() -> WordTable:
    """Give the table of MiniLM's vocabulary."""
    return WordTable.of(load_tokenizer(DEFAULT_ENCODER))


@pytest.fixture(scope="module")
def ids() -> Ragged:
    """Give 400 copies of a sentence whose words have several sub-words, each between [CLS] and [SEP]."""
    own = load_tokenizer(DEFAULT_ENCODER)(TEXT)["input_ids"]
    return Ragged.from_lengths(np.tile(own, 400), np.full(400, len(own)))


def test_a_word_is_masked_whole_or_not_at_all(ids: Ragged, table: WordTable):
    """All sub-words of a word share its fate."""
    words = table.words(ids.values, ids.places == 0)
    chosen = choose_words(ids, table, 0.3, np.random.default_rng(0))
    share = np.bincount(words, chosen) / np.bincount(words)
    assert set(share) == {0.0, 1.0}


def test_words_are_those_of_the_text(ids: Ragged, table: WordTable):
    """The table finds as many words as blanks and punctuation tell."""
    one = Ragged(ids.values[: ids.offsets[1]], ids.offsets[:2])
    words = table.words(one.values, one.places == 0)
    assert words[-1] + 1 == len(TEXT.replace(",", " ,").split()) + 2


def test_the_share_is_kept(ids: Ragged, table: WordTable):
    """About 15 % of the words are chosen, and no special sub-word."""
    chosen = choose_words(ids, table, 0.15, np.random.default_rng(1))
    text = ~table.special[ids.values]
    assert not chosen[~text].any()
    assert abs(chosen[text].mean() - 0.15) < 0.01


def test_eighty_ten_ten(table: WordTable):
    """Of chosen sub-words 80 % become the mask, 10 % another one, and 10 % stay."""
    before = np.full(40_000, 2023)
    after = replaced(before, 103, table, np.random.default_rng(2))
    assert abs((after == 103).mean() - 0.8) < 0.01
    assert abs((after == 2023).mean() - 0.1) < 0.01
    assert not table.special[after[(after != 103)]].any()


def test_masks_follow_from_the_seed(ids: Ragged, table: WordTable):
    """The same generator gives the same masks, another one others."""
    masks = [choose_words(ids, table, 0.15, np.random.default_rng(seed)) for seed in (5, 5, 6)]
    assert np.array_equal(masks[0], masks[1])
    assert not np.array_equal(masks[0], masks[2])


def test_each_word_is_judged_once(ids: Ragged, table: WordTable):
    """Folds share all words out, each whole and evenly within each text; special sub-words are in none."""
    assert np.array_equal(
        folds_of_words(ids, table, 4, np.random.default_rng(0)) == -1, table.special[ids.values]
    )
    text = Ragged.from_lengths(ids.values[~table.special[ids.values]], ids.lengths - 2)
    folds = folds_of_words(text, table, 4, np.random.default_rng(0))
    words = table.words(text.values, text.places == 0)
    first = np.flatnonzero(np.diff(words, prepend=-1))
    counts = np.zeros((400, 4), np.int64)
    np.add.at(counts, (text.owners[first], folds[first]), 1)
    assert (counts.max(axis=1) - counts.min(axis=1) <= 1).all()
    assert np.array_equal(folds, folds[first][words])


def test_bytes_of_gpt2_style_vocabularies_have_words_too():
    """Where no sub-word says that it goes on, those that follow a blank begin a word."""
    table = WordTable(
        begins=np.array([False, True, False, True]), special=np.zeros(4, bool), plain=np.arange(4)
    )
    assert table.words(np.array([0, 2, 1, 2, 3]), np.array([1, 0, 0, 0, 0], bool)).tolist() == [0, 0, 1, 1, 2]
