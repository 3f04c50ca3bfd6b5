from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.v1 import precision_recall_fscore_support
from seqeval.scheme import IOB2, Entities

from models.adapters.bio import best_valid_tags, count_matches, find_spans
from models.ragged import Ragged

NAMES = ("O", "B-loc", "I-loc", "B-per", "I-per")
TAGS = st.integers(0, len(NAMES) - 1)
PAIRS = st.lists(st.lists(st.tuples(TAGS, TAGS), max_size=8), min_size=1, max_size=6)
SCORE = st.floats(-5, 0, allow_nan=False, width=32)
SCORES = st.lists(st.lists(st.lists(SCORE, min_size=5, max_size=5), max_size=4), min_size=1, max_size=4)


def _ragged(rows: list[list[int]]) -> Ragged:
    values = np.array([tag for row in rows for tag in row], dtype=np.int64)
    return Ragged.from_lengths(values, np.array([len(row) for row in rows], dtype=np.int64))


def _named(rows: list[list[int]]) -> list[list[str]]:
    return [[NAMES[tag] for tag in row] for row in rows]


def _valid(tags: tuple[int, ...]) -> bool:
    before = (0, *tags)[: len(tags)]
    return all(t == 0 or t % 2 or p in (t, t - 1) for p, t in zip(before, tags, strict=True))


@given(PAIRS)
def test_spans_are_those_of_seqeval(pairs: list[list[tuple[int, int]]]):
    """On any tags, valid or not, the entities are the ones that seqeval finds in strict IOB2."""
    rows = [[truth for truth, _ in row] for row in pairs]
    tags = _ragged(rows)
    spans = find_spans(tags)
    first = tags.offsets[spans.rows]
    found = set(zip(spans.rows, spans.starts - first, spans.ends - first, spans.types, strict=True))
    entities = Entities(_named(rows), scheme=IOB2).entities
    expected = {
        (row, e.start, e.end, ("loc", "per").index(e.tag)) for row, es in enumerate(entities) for e in es
    }
    assert found == expected


@given(PAIRS)
def test_matches_add_up_to_seqeval(pairs: list[list[tuple[int, int]]]):
    """Precision, recall and F1 from the rows' counts equal seqeval's strict ones."""
    truth, predicted = ([[pair[side] for pair in row] for row in pairs] for side in (0, 1))
    hits, wrong, missed = count_matches(_ragged(truth), _ragged(predicted)).sum(axis=0)
    precision, recall, f1, _ = precision_recall_fscore_support(
        _named(truth), _named(predicted), average="micro", scheme=IOB2, zero_division=0
    )
    assert np.isclose(precision, hits / max(hits + wrong, 1))
    assert np.isclose(recall, hits / max(hits + missed, 1))
    assert np.isclose(f1, 2 * hits / max(2 * hits + wrong + missed, 1))


@given(PAIRS)
def test_matches_are_counted_row_by_row(pairs: list[list[tuple[int, int]]]):
    """A row's counts are the same alone and among others."""
    truth, predicted = ([[pair[side] for pair in row] for row in pairs] for side in (0, 1))
    together = count_matches(_ragged(truth), _ragged(predicted))
    alone = [count_matches(_ragged([t]), _ragged([p]))[0] for t, p in zip(truth, predicted, strict=True)]
    assert together.tolist() == np.array(alone).tolist()


@given(SCORES)
def test_the_best_tags_are_the_best_of_all_valid_ones(rows: list[list[list[float]]]):
    """Viterbi finds a valid sequence whose score no other valid sequence beats."""
    lengths = np.array([len(row) for row in rows])
    scores = np.array([word for row in rows for word in row]).reshape(-1, len(NAMES))
    tags = Ragged.from_lengths(best_valid_tags(scores, lengths), lengths)
    for index, row in enumerate(rows):
        chosen = tuple(tags.values[tags.offsets[index] : tags.offsets[index + 1]].tolist())
        assert _valid(chosen)
        possible = [p for p in product(range(len(NAMES)), repeat=len(row)) if _valid(p)]
        best = max(sum(word[t] for word, t in zip(row, path, strict=True)) for path in possible)
        assert np.isclose(sum(word[t] for word, t in zip(row, chosen, strict=True)), best)


def test_equal_scores_make_no_entities():
    """Where nothing speaks for a tag, the answer is O."""
    assert best_valid_tags(np.zeros((5, 5)), np.array([2, 0, 3])).tolist() == [0] * 5


def test_a_word_without_evidence_stays_inside_its_entity():
    """A word with equal scores between B- and I- does not cut the entity in two."""
    scores = np.full((3, 5), -9.0)
    scores[0, 1], scores[1], scores[2, 2] = -0.1, -1.0, -0.1
    assert best_valid_tags(scores, np.array([3])).tolist() == [1, 2, 2]
