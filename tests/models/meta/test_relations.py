from models.encoder import DEFAULT_ENCODER, load_tokenizer
from models.meta.relations import Relation, relation_pool

ROWS = [
    Relation(("Ada", "was", "born", "in", "London"), (0, 1), (4, 5), "birthplace"),
    Relation(("London", "is", "where", "Ada", "Lovelace", "died"), (3, 5), (0, 1), "deathplace"),
    Relation(("word",) * 40 + ("Ada", "London"), (40, 41), (41, 42), "birthplace"),
]


def test_marks_stand_before_both_entities():
    """The sub-words at the marks are the two signs, head first, whichever comes first in the text."""
    tokenizer = load_tokenizer(DEFAULT_ENCODER, split_words=True)
    pool = relation_pool("made", "made", ROWS[:2], tokenizer, 32)
    for row in range(2):
        ids = pool.ids.values[pool.ids.offsets[row] : pool.ids.offsets[row + 1]]
        assert tokenizer.convert_ids_to_tokens(ids[pool.marks[row]].tolist()) == ["@", "#"]
    assert tokenizer.decode(pool.ids.values[pool.ids.offsets[1] : pool.ids.offsets[2]]) == (
        "[CLS] # london # is where @ ada lovelace @ died [SEP]"
    )


def test_a_row_whose_entities_are_cut_off_is_left_out():
    """Entities beyond the longest length leave no marks to read."""
    tokenizer = load_tokenizer(DEFAULT_ENCODER, split_words=True)
    assert len(relation_pool("made", "made", ROWS, tokenizer, 32)) == 2
