import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ragged import Ragged

LISTS = st.lists(st.lists(st.integers(-100, 100), max_size=5), max_size=8)


@given(LISTS)
def test_a_list_column_round_trips(lists: list[list[int]]):
    """Reading a column and making one of it again changes nothing."""
    column = pa.chunked_array([pa.array(lists, pa.list_(pa.int32()))])
    assert Ragged.from_column(column).to_arrow(pa.int32()).to_pylist() == lists


@given(LISTS, st.integers(0, 8), st.integers(0, 8))
def test_a_slice_of_a_column_is_read_alone(lists: list[list[int]], start: int, length: int):
    """Values outside of a slice are not part of what is read."""
    column = pa.array(lists, pa.list_(pa.int32())).slice(min(start, len(lists)), length)
    ragged = Ragged.from_column(column)
    assert ragged.offsets[0] == 0
    assert ragged.to_arrow(pa.int32()).to_pylist() == column.to_pylist()


@given(LISTS)
def test_owners_and_places_say_where_a_value_is(lists: list[list[int]]):
    """Each value is found in the sequence and at the position that are told for it."""
    ragged = Ragged.from_column(pa.array(lists, pa.list_(pa.int32())))
    found = [lists[row][place] for row, place in zip(ragged.owners, ragged.places, strict=True)]
    assert found == ragged.values.tolist()


@given(LISTS, st.data())
def test_padding_fills_up_to_the_longest_chosen(lists: list[list[int]], data: st.DataObject):
    """Chosen sequences come in the asked order, each filled up to the longest of them."""
    chosen = data.draw(st.lists(st.integers(0, len(lists) - 1), max_size=6)) if lists else []
    ragged = Ragged.from_column(pa.array(lists, pa.list_(pa.int32())))
    longest = max((len(lists[i]) for i in chosen), default=0)
    expected = [lists[i] + [-1] * (longest - len(lists[i])) for i in chosen]
    padded = ragged.padded(np.array(chosen, dtype=np.int64), fill=-1)
    assert padded.dtype == np.int64
    assert padded.shape == (len(chosen), longest)
    assert padded.tolist() == expected


@pytest.mark.parametrize("chosen", [[True, False, True], [False, False, False]])
def test_keep_drops_whole_sequences(chosen: list[bool]):
    """Only sequences that are marked stay, in order."""
    lists = [[1, 2], [], [3]]
    kept = Ragged.from_column(pa.array(lists, pa.list_(pa.int32()))).keep(np.array(chosen))
    assert kept.to_arrow(pa.int32()).to_pylist() == [x for x, keep in zip(lists, chosen, strict=True) if keep]
