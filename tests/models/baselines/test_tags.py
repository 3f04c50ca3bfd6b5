"""Baselines for tags."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.baselines import Crf, FrequentTag
from models.baselines.crf import _features, _shape
from models.baselines.tags import make_valid, tag_names

LABELS = ("loc", "per")
ROWS = pa.table(
    {
        "tokens": [["in", "Paris"], ["Paris", "sings"], ["in", "Paris"]],
        "tags": [["O", "B-loc"], ["B-per", "O"], ["O", "B-loc"]],
    }
)


def test_each_word_gets_its_commonest_tag():
    """Paris was twice a place and once a person."""
    answers = FrequentTag(LABELS, 0).fit(ROWS).predict(ROWS)
    assert answers["tags"].to_pylist() == [["O", "B-loc"], ["B-loc", "O"], ["O", "B-loc"]]
    assert answers["confidences"][0].as_py() == pytest.approx([1, 2 / 3])
    assert answers["confidence"][0].as_py() == pytest.approx(2 / 3)


def test_an_unknown_word_gets_the_commonest_tag():
    """O is the commonest of all, with three of six."""
    unknown = pa.table({"tokens": [["Oslo"]]})
    answers = FrequentTag(LABELS, 0).fit(ROWS).predict(unknown)
    assert answers.to_pylist() == [{"tags": ["O"], "confidence": 0.5, "confidences": [0.5]}]


def test_an_orphan_inside_tag_begins_an_entity():
    """I- after O, after another type or at a row's start becomes B-; after its own type it stays."""
    names = tag_names(LABELS)
    rows = [["I-loc", "I-loc", "O", "I-per"], ["I-per", "I-loc"], [], ["B-loc", "I-loc", "I-per"]]
    flat = np.array([names.index(tag) for row in rows for tag in row])
    valid = make_valid(flat, np.array([len(row) for row in rows]))
    assert [names[tag] for tag in valid] == [
        "B-loc",
        "I-loc",
        "O",
        "B-per",
        "B-per",
        "B-loc",
        "B-loc",
        "I-loc",
        "B-per",
    ]


@given(rows=st.lists(st.lists(st.integers(0, 4), max_size=6), max_size=6))
def test_made_valid_once_is_valid(rows: list[list[int]]):
    """A second pass changes nothing, and O and B- are never touched."""
    tags = np.array([tag for row in rows for tag in row], dtype=np.int64)
    lengths = np.array([len(row) for row in rows], dtype=np.int64)
    valid = make_valid(tags, lengths)
    assert (make_valid(valid, lengths) == valid).all()
    fixed = (tags == 0) | (tags % 2 == 1)
    assert (valid[fixed] == tags[fixed]).all()


def test_the_crf_looks_at_neighbours():
    """The same word is a place after "in" and a person before "sings"."""
    answers = Crf(LABELS, 0).fit(pa.concat_tables([ROWS] * 10)).predict(ROWS)
    assert answers["tags"].to_pylist() == ROWS["tags"].to_pylist()


def test_an_unfitted_crf_answers_o():
    """Without a word to learn from every tag is O."""
    empty = pa.table(
        {"tokens": pa.array([[]], pa.list_(pa.string())), "tags": pa.array([[]], pa.list_(pa.string()))}
    )
    answers = Crf(LABELS, 0).fit(empty).predict(ROWS)
    assert set(np.concatenate(answers["tags"].to_pylist())) == {"O"}


@pytest.mark.parametrize(("word", "shape"), [("McGee-12", "XxXx-0"), ("USA", "X"), ("9th", "0x"), ("", "")])
def test_shapes_shorten_runs(word: str, shape: str):
    """Letters and digits become their kind, once a run."""
    assert _shape(word) == shape


def test_features_mark_the_ends():
    """The first word has no left neighbour and the last no right one."""
    features = _features(["New", "York"])
    assert "BOS" in features[0]
    assert "-1:word=new" in features[1]
    assert "EOS" in features[1]
    assert "+1:word=york" in features[0]
