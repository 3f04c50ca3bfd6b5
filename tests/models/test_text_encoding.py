"""Finding texts with broken bytes."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.text_encoding import invalid_utf8

PIECES = st.sampled_from(
    [
        b"",
        b"a",
        "é".encode(),
        "€".encode(),
        "😀".encode(),
        b"\xff",
        b"\xe2\x82",
        b"\xac",
        b"\xed\xa0\x80",
        b"\xc0\xaf",
    ]
)
VALUES = st.lists(st.none() | st.binary(max_size=6) | st.lists(PIECES, max_size=4).map(b"".join), max_size=12)


def _broken(value: bytes | None) -> bool:
    try:
        (value or b"").decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False


@given(VALUES, st.integers(0, 3))
@settings(max_examples=500, deadline=None)
def test_a_column_at_once_gives_what_each_value_gives(values: list[bytes | None], skip: int):
    """Exactly the values that Python can't decode are found, also in a slice."""
    array = pa.array(values, pa.binary())[skip:]
    assert invalid_utf8(array).tolist() == [_broken(v) for v in values[skip:]]


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()])
def test_halves_of_a_character_in_two_rows_are_both_broken(kind: pa.DataType):
    """A character cut between two rows makes no row valid."""
    assert invalid_utf8(pa.array([b"x\xe2\x82", b"", b"\xacy", b"ok"], kind)).tolist() == [
        True,
        False,
        True,
        False,
    ]


def test_a_column_of_another_encoding_is_found_whole():
    """Each row of a Latin-1 column with accents is told."""
    assert invalid_utf8(pa.array(["é".encode("latin-1")] * 1000, pa.binary())).all()
