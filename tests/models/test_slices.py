"""Which slices a row is in."""

import pyarrow as pa
import pytest

from models.adapters import TextClassification, TokenClassification
from models.slices import masks_of, name_slices

TEXTS = pa.table(
    {
        "source": ["a.csv", "b.csv", "a.csv"],
        "domain": ["tweets", None, "films"],
        "text": ["so good", "word " * 12, ""],
        "label": ["pos", "neg", "pos"],
    }
)
TAGS = pa.table(
    {
        "source": ["a.csv", "a.csv"],
        "tokens": [["in", "New", "York"], ["word"] * 25],
        "tags": [["O", "B-loc", "I-loc"], ["B-per"] + ["O"] * 23 + ["B-loc"]],
    }
)


def test_a_text_is_in_four_kinds_of_slices():
    """Source, domain, length and label each name one slice of a text."""
    assert name_slices(TEXTS, TextClassification)[0].as_py() == [
        "domain=tweets",
        "label=pos",
        "length=1-9",
        "source=a.csv",
    ]


def test_a_row_without_domain_is_in_no_domain():
    """A missing value makes no slice."""
    assert name_slices(TEXTS, TextClassification)[1].as_py() == ["label=neg", "length=10-24", "source=b.csv"]


def test_an_empty_text_is_short():
    """A row without words is in the first length."""
    assert "length=1-9" in name_slices(TEXTS, TextClassification)[2].as_py()


def test_each_entity_type_in_a_row_is_a_slice_of_it():
    """A row with two types is in both label slices, once each."""
    assert name_slices(TAGS, TokenClassification).to_pylist() == [
        ["label=loc", "length=1-9", "source=a.csv"],
        ["label=loc", "label=per", "length=25+", "source=a.csv"],
    ]


@pytest.mark.parametrize(
    ("words", "expected"), [(1, "1-9"), (9, "1-9"), (10, "10-24"), (24, "10-24"), (25, "25+")]
)
def test_lengths_have_fixed_edges(words: int, expected: str):
    """The edges are at 10 and 25 words in every snapshot."""
    row = pa.table({"text": ["word " * words]})
    assert name_slices(row, TextClassification)[0].as_py() == [f"length={expected}"]


def test_masks_say_where_a_slice_is():
    """Each name has one mask over the rows, in order of the names."""
    masks = masks_of(name_slices(TEXTS, TextClassification))
    assert list(masks) == sorted(masks)
    assert masks["source=a.csv"].tolist() == [True, False, True]
    assert masks["domain=films"].tolist() == [False, False, True]


def test_masks_of_a_chunked_column_are_the_same():
    """A column read in pieces, or cut out of a larger one, gives the same masks."""
    column = name_slices(TEXTS, TextClassification)
    pieces = pa.chunked_array([column.slice(0, 1), column.slice(1)])
    assert {k: v.tolist() for k, v in masks_of(pieces).items()} == {
        k: v.tolist() for k, v in masks_of(column).items()
    }
