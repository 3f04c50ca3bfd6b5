from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import PreTrainedModel

from models.episodes import Pool
from models.meta.cut import additive, cut
from models.meta.kept import Storage, keep_states
from models.meta.packing import Packing


def test_kept_states_are_those_of_the_lower_part(encoder: PreTrainedModel, make_pool: Callable[..., Pool]):
    """A row's kept states are what the lower part gives for it alone."""
    below, _ = cut(encoder, 1)
    ids = make_pool().ids
    kept = keep_states(below, ids, pad_id=0)
    row = 7
    alone = torch.from_numpy(ids.padded(np.array([row]), 0))
    with torch.no_grad():
        expected = below(
            input_ids=alone, attention_mask=additive(torch.ones(1, alone.shape[1]))
        ).last_hidden_state
    found = kept.packed(np.array([row]), Packing.of(ids.lengths[[row]], alone.shape[1]))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_states_in_bf16_are_near_and_kept_in_float32(
    encoder: PreTrainedModel, make_pool: Callable[..., Pool]
):
    """Products in bf16 have eight bits; what is kept of them is float32."""
    below, _ = cut(encoder, 1)
    ids = make_pool().ids
    exact = keep_states(below, ids, pad_id=0).values
    with torch.autocast("cpu", torch.bfloat16):
        found = keep_states(below, ids, pad_id=0).values
    assert found.dtype == torch.float32
    assert 0 < (found - exact).norm() / exact.norm() < 0.02


def test_a_mapped_file_holds_the_same_and_leaves_nothing(
    encoder: PreTrainedModel, make_pool: Callable[..., Pool], tmp_path: Path
):
    """Over the memory limit the states lie in a file without a name; values are the same."""
    below, _ = cut(encoder, 1)
    ids = make_pool().ids
    inside = keep_states(below, ids, pad_id=0)
    mapped = keep_states(below, ids, pad_id=0, storage=Storage(tmp_path, 0))
    assert torch.equal(inside.values, mapped.values)
    assert not list(tmp_path.iterdir())


def test_the_limit_is_one_for_all_that_is_kept(tmp_path: Path):
    """What would take the sum over it is mapped, however small it is by itself."""
    storage = Storage(tmp_path, limit=4 * 10)
    found = [storage.array((6, 1)) for _ in range(2)]
    assert [isinstance(array, np.memmap) for array in found] == [False, True]


def test_progress_ends_at_one(encoder: PreTrainedModel, make_pool: Callable[..., Pool]):
    """The share that is done rises to 1."""
    seen: list[float] = []
    below, _ = cut(encoder, 2)
    keep_states(below, make_pool().ids, pad_id=0, alive=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(1)


def test_packed_states_stand_where_the_packing_says(encoder: PreTrainedModel, make_pool: Callable[..., Pool]):
    """Each row's states, read at its places, are those that were kept."""
    below, _ = cut(encoder, 1)
    ids = make_pool().ids
    kept = keep_states(below, ids, pad_id=0)
    rows = np.array([5, 3, 8])
    packing = Packing.of(ids.lengths[rows], int(ids.lengths.max()))
    found = kept.packed(rows, packing).flatten(0, 1)
    for row, places in zip(rows, packing.places, strict=True):
        own = kept.values[int(ids.offsets[row]) : int(ids.offsets[row + 1])]
        assert torch.equal(found[torch.from_numpy(places[: len(own)])], own)
