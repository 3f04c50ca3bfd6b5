from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import PreTrainedModel

from models.episodes import Kind, Pool
from models.learners import make_learner
from models.meta.batches import Reader, stacked
from models.meta.kept import keep_states
from models.meta.networks import Chosen, build_networks
from models.meta.packing import NO_ROW, Packing
from models.meta.scoring import Source
from models.ragged import Ragged


def test_the_longest_rows_come_first_and_short_ones_fill_up():
    """First fit, longest first: 5 + 1 and 4 + 2 fill two sequences of 6."""
    packing = Packing.of(np.array([1, 5, 2, 4]), 6)
    assert packing.segments.tolist() == [[1, 1, 1, 1, 1, 0], [3, 3, 3, 3, 2, 2]]


def test_what_is_left_belongs_to_no_row():
    """A place that no row takes says so."""
    assert Packing.of(np.array([2]), 3).segments.tolist() == [[0, 0, NO_ROW]]


def test_past_a_rows_end_stands_its_last_place():
    """Places are counted over all sequences."""
    packing = Packing.of(np.array([3, 2]), 4)
    assert packing.places.tolist() == [[0, 1, 2, 2], [4, 5, 5, 5]]


@pytest.mark.parametrize("seed", range(3))
def test_every_sub_word_has_a_place_of_its_own(seed: int):
    """Each row finds itself at its places, and no two share one."""
    lengths = np.random.default_rng(seed).integers(1, 12, 40)
    packing = Packing.of(lengths, 12)
    inside = np.arange(12) < lengths[:, None]
    assert len(np.unique(packing.places[inside])) == lengths.sum()
    owners = packing.segments.ravel()[packing.places]
    assert (owners == np.arange(40)[:, None]).all()
    assert len(packing.segments) <= 1.3 * np.ceil(lengths.sum() / 12)


@pytest.mark.parametrize(("lengths", "row"), [([3, 5, 2], 1), ([4, 0], 1)])
def test_a_row_that_fits_no_sequence_is_refused(lengths: list[int], row: int):
    """The message names the row, its length and the limit."""
    with pytest.raises(ValueError, match=f"Row {row} has {lengths[row]} sub-words; one to 4"):
        Packing.of(np.array(lengths), 4)


@pytest.fixture
def pools(make_pool: Callable[..., Pool]) -> dict[Kind, Pool]:
    """Give a pool of each task type, with the same rows: most are short, some long."""
    texts = make_pool()
    rng = np.random.default_rng(0)
    lengths = np.where(rng.random(len(texts)) < 0.2, 16, rng.integers(2, 6, len(texts)))
    texts = replace(texts, ids=Ragged.from_lengths(rng.integers(2, 60, lengths.sum()), lengths))
    tags = rng.integers(0, 3, len(texts.ids.values))
    marks = np.stack([texts.ids.lengths // 2, texts.ids.lengths - 1], axis=1)
    return {
        "text_classification": texts,
        "token_classification": replace(
            texts,
            kind="token_classification",
            classes=("a", "b"),
            labels=Ragged.from_lengths(tags, texts.ids.lengths),
        ),
        "relation_classification": replace(texts, kind="relation_classification", marks=marks),
    }


@pytest.mark.parametrize("learner", ["maml", "reptile", "prototypical"])
@pytest.mark.parametrize("kind", ["text_classification", "token_classification", "relation_classification"])
def test_packed_episodes_have_the_gradient_of_whole_rows(
    encoder: PreTrainedModel,
    pools: dict[Kind, Pool],
    make_source: Callable[..., Source],
    kind: Kind,
    learner: str,
):
    """Episodes of unequal size on kept, packed states move the top layers as the whole encoder's rows do."""
    pool, made = pools[kind], make_learner(learner, {})
    source = make_source([pool], n_way=(1, 2) if pool.is_tagged else (2, 4), k_shot=(1, 3), n_query=2)
    upper, below = build_networks(encoder, [kind], 2)
    whole, _ = build_networks(encoder, [kind], "all", chosen=Chosen(("*.layer.1.*", "*.layer.2.*")))
    assert below is not None
    reader = Reader(pool, 0, keep_states(below, pool.ids, 0))
    packed = stacked(source.episodes(0, 4), [reader])
    used = (packed.query.inputs[3] != NO_ROW).any(-1).sum(-1)
    assert (used < packed.query.inputs[1].shape[1]).any()
    params = made.begin(upper[kind])
    found = made.meta_gradient(upper[kind], params, packed).gradients
    own = {_in_whole(name): weight for name, weight in params.items()}
    expected = made.meta_gradient(whole[kind], own, stacked(source.episodes(0, 4), source.readers)).gradients
    for name, gradient in found.items():
        torch.testing.assert_close(gradient, expected[_in_whole(name)], rtol=1e-3, atol=1e-5)


def _in_whole(name: str) -> str:
    """Give the name that a weight of the top two layers of three has in the whole body."""
    parts = name.split(".")
    if parts[0] != "layers":
        return name
    return ".".join(["encoder.encoder.layer", str(int(parts[1]) + 1), *parts[2:]])
