import time

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.adapters.base import ENCODED_SCHEMA, IGNORED
from models.batching import Collator, padding_share, plan_batches, prefetched
from models.window_reader import Layout

LENGTHS = st.lists(st.integers(1, 40), min_size=1, max_size=300)


@given(LENGTHS, st.integers(8, 200), st.integers(0, 5))
def test_every_window_is_in_one_batch_within_the_budget(lengths: list[int], budget: int, epoch: int):
    """A plan is a partition, and only a window longer than the budget exceeds it, alone."""
    sizes = np.array(lengths)
    batches = plan_batches(sizes, budget, seed=3, epoch=epoch)
    assert sorted(np.concatenate(batches)) == list(range(len(sizes)))
    assert all(len(b) * sizes[b].max() <= budget or len(b) == 1 for b in batches)


def test_a_plan_depends_on_seed_and_epoch_alone():
    """The same seed and epoch give the same plan, another epoch another one."""
    lengths = np.random.default_rng(0).integers(3, 60, 500)
    plans = [plan_batches(lengths, 256, 7, epoch) for epoch in (1, 1, 2)]
    assert all(np.array_equal(a, b) for a, b in zip(plans[0], plans[1], strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(plans[0], plans[2], strict=False))


def test_little_is_padded():
    """Batches of lengths as in real text are padded by less than 5 %."""
    lengths = np.random.default_rng(0).gamma(3, 8, 5000).astype(int) + 3
    assert padding_share(lengths, plan_batches(lengths, 1024, 0, 0)) < 0.05


def windows(ids: list[list[int]], labels: list[list[int]]) -> pa.Table:
    """Make encoded windows."""
    return pa.table([list(range(len(ids))), ids, labels, [[] for _ in ids]], schema=ENCODED_SCHEMA)


def test_collation_pads_ids_mask_and_labels():
    """Shorter windows are filled with the padding id, masked, and ignored by the loss."""
    collate = Collator(windows([[5, 6, 7], [8]], [[1, 0, 1], [0]]), pad_id=9)
    batch = collate(np.array([1, 0]))
    assert batch.input_ids.tolist() == [[8, 9, 9], [5, 6, 7]]
    assert batch.attention_mask is not None
    assert batch.attention_mask.tolist() == [[1, 0, 0], [1, 1, 1]]
    assert batch.labels.tolist() == [[0, IGNORED, IGNORED], [1, 0, 1]]
    assert batch.tokens == 4


def test_windows_of_one_length_need_no_mask():
    """Where nothing is padded there is no mask, and each window keeps its label."""
    collate = Collator(windows([[5, 6], [7, 8]], [[2], [1]]), pad_id=0)
    batch = collate(np.array([1, 0]))
    assert batch.attention_mask is None
    assert batch.labels.tolist() == [[1], [2]]


def test_collation_reads_several_chunks():
    """A table whose file has several record batches collates like one that has one."""
    table = pa.concat_tables([windows([[1, 2]], [[0]]), windows([[3]], [[1]])])
    assert Collator(table, pad_id=0)(np.array([1])).input_ids.tolist() == [[3]]


def test_prefetching_keeps_order_and_passes_errors_on():
    """Items come in order, made ahead of their use; an error is raised where its item is due."""
    made: list[int] = []

    def make(item: int) -> int:
        if item == 3:
            raise ValueError("broken item")
        made.append(item)
        return item * 10

    items = prefetched(range(5), make)
    assert next(items) == 0
    deadline = time.monotonic() + 5
    while len(made) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert made == [0, 1, 2]
    assert [next(items), next(items)] == [10, 20]
    with pytest.raises(ValueError, match="broken item"):
        next(items)


def test_parts_of_a_batch_hold_all_of_it():
    """A batch in parts has the same windows and targets, padded no further than each part needs."""
    collate = Collator(windows([[5, 6, 7], [8], [3]], [[1, IGNORED, 1], [0], [1]]), pad_id=9)
    parts = collate.in_parts(np.array([1, 2, 0]), 2)
    assert [part.input_ids.tolist() for part in parts] == [[[8], [3]], [[5, 6, 7]]]
    assert [part.targets for part in parts] == [2, 2]


def test_there_are_no_more_parts_than_windows():
    """A batch of two windows has two parts at most."""
    collate = Collator(windows([[5], [8]], [[1], [0]]), pad_id=9)
    assert len(collate.in_parts(np.array([0, 1]), 16)) == 2


def test_windows_of_a_row_stay_together():
    """An item is a row's windows, as large as they are when padded to the longest of them."""
    table = windows([[5, 6, 7], [8], [3]], [[1], [0], [1]]).set_column(0, "row", pa.array([0, 0, 1]))
    collate = Collator(table, pad_id=9, layout=Layout(together=True))
    assert collate.lengths.tolist() == [6, 1]
    assert collate(np.array([1, 0])).input_ids.tolist() == [[3, 9, 9], [5, 6, 7], [8, 9, 9]]


def test_marks_come_with_their_windows():
    """The places of marked sub-words are those in `words`."""
    table = windows([[5, 6, 7], [8, 4, 2]], [[1], [0]])
    marks = pa.array([[1, 2], [0, 1]], pa.list_(pa.int32()))
    table = table.set_column(table.column_names.index("words"), "words", marks)
    assert Collator(table, pad_id=9, layout=Layout(marked=True))(np.array([1])).inputs(["marks"])[
        "marks"
    ].tolist() == [[0, 1]]


def test_texts_to_write_take_their_share_of_a_batch():
    """A short input with a long answer is a large item."""
    table = windows([[5], [6]], [[1] * 9, [1]])
    assert Collator(table, pad_id=9, layout=Layout(apart=True)).lengths.tolist() == [10, 2]
