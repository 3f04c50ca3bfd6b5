import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
from pydantic import ValidationError

from models.episodes import Episode, EpisodeSampler, EpisodeShape, Pool
from models.errors import DataError

SHAPE = EpisodeShape(n_way=3, k_shot=2, n_query=4)


def _same(first: Episode, second: Episode) -> bool:
    return first.pool == second.pool and all(
        np.array_equal(a, b)
        for a, b in (
            (first.classes, second.classes),
            (first.support.rows, second.support.rows),
            (first.query.rows, second.query.rows),
        )
    )


def test_an_index_is_the_same_episode_whatever_came_before(make_pool: Callable[..., Pool]):
    """Episode 7 does not depend on which episodes were drawn, or by which sampler."""
    one, other = (EpisodeSampler([make_pool()], SHAPE, seed=1, split="train") for _ in range(2))
    for index in range(7):
        one.episode(index)
    assert _same(one.episode(7), other.episode(7))


def test_episodes_differ_by_index_split_and_seed(make_pool: Callable[..., Pool]):
    """Another index, split or seed gives other rows."""
    base = EpisodeSampler([make_pool()], SHAPE, seed=1, split="train").episode(0)
    assert not _same(base, EpisodeSampler([make_pool()], SHAPE, seed=1, split="train").episode(1))
    assert not _same(base, EpisodeSampler([make_pool()], SHAPE, seed=1, split="test").episode(0))
    assert not _same(base, EpisodeSampler([make_pool()], SHAPE, seed=2, split="train").episode(0))


def test_an_episode_has_its_shape(make_pool: Callable[..., Pool]):
    """Each of n_way classes has k_shot support rows and n_query query rows of that very class."""
    pool = make_pool()
    episode = EpisodeSampler([pool], SHAPE, seed=0, split="train").episode(0)
    assert len(set(episode.classes)) == 3
    for side, each in ((episode.support, 2), (episode.query, 4)):
        assert np.bincount(side.classes).tolist() == [each] * 3
        assert (pool.labels.values[side.rows] == episode.classes[side.classes]).all()


def test_no_row_is_on_both_sides(make_pool: Callable[..., Pool]):
    """Query rows are never in the support."""
    sampler = EpisodeSampler([make_pool()], SHAPE, seed=0, split="train")
    for index in range(20):
        episode = sampler.episode(index)
        assert not set(episode.support.rows) & set(episode.query.rows)


def test_ways_and_shots_vary_within_their_ranges(make_pool: Callable[..., Pool]):
    """Over many episodes every number of both ranges turns up, and no other."""
    shape = EpisodeShape(n_way=(2, 4), k_shot=(1, 3), n_query=2)
    sampler = EpisodeSampler([make_pool()], shape, seed=0, split="train")
    drawn = [sampler.episode(index) for index in range(60)]
    assert {len(e.classes) for e in drawn} == {2, 3, 4}
    assert {len(e.support.rows) // len(e.classes) for e in drawn} == {1, 2, 3}


def test_unbalanced_support_has_shots_of_its_own_for_each_class(make_pool: Callable[..., Pool]):
    """Within one episode the classes' numbers of shots differ."""
    shape = EpisodeShape(n_way=6, k_shot=(1, 6), n_query=2, unbalanced=True)
    episode = EpisodeSampler([make_pool()], shape, seed=0, split="train").episode(0)
    assert len(set(np.bincount(episode.support.classes))) > 1


def test_names_join_the_support_and_nothing_else(make_pool: Callable[..., Pool]):
    """With names each class has its name as one more support row; all else is drawn as without."""
    pool = make_pool((13,) * 6)
    named = dataclasses.replace(pool, named=np.arange(len(pool)) % 13 == 12)
    shape = SHAPE.model_copy(update={"names": True})
    with_names, without = (
        EpisodeSampler([named], one, seed=0, split="train").episode(0) for one in (shape, SHAPE)
    )
    assert np.bincount(with_names.support.classes).tolist() == [3] * 3
    assert named.named[with_names.support.rows].sum() == 3
    assert not named.named[np.concatenate([without.support.rows, with_names.query.rows])].any()
    assert np.array_equal(with_names.query.rows, without.query.rows)


def test_names_that_are_not_there_are_refused(make_pool: Callable[..., Pool]):
    """A pool without rows for its names says so."""
    with pytest.raises(DataError, match="'source' has no names of its classes"):
        EpisodeSampler([make_pool()], SHAPE.model_copy(update={"names": True}), seed=0, split="train")


def test_sources_are_mixed_by_weight(make_pool: Callable[..., Pool]):
    """A source with three times the weight gives about three times the episodes."""
    pools = [make_pool(name="a"), make_pool(name="b")]
    sampler = EpisodeSampler(pools, SHAPE, seed=0, split="train", weights=[3, 1])
    share = np.mean([sampler.episode(index).pool == 0 for index in range(400)])
    assert 0.68 < share < 0.82


def test_classes_without_enough_rows_are_left_out(make_pool: Callable[..., Pool]):
    """A class with fewer than k_shot + n_query rows is in no episode."""
    sampler = EpisodeSampler([make_pool((12, 5, 12, 12))], SHAPE, seed=0, split="train")
    assert not any(1 in sampler.episode(index).classes for index in range(30))


def test_too_few_classes_are_an_error_that_names_one(make_pool: Callable[..., Pool]):
    """The message gives source, numbers, a scarce class and what to do."""
    with pytest.raises(
        DataError, match=r"'source' has 2 of 3 classes with the 6 rows .* Class 'source-1' has 5"
    ):
        EpisodeSampler([make_pool((12, 5, 12))], SHAPE, seed=0, split="train")


@pytest.mark.parametrize("weights", [[1.0], [1.0, 0.0]])
def test_weights_that_do_not_fit_are_refused(make_pool: Callable[..., Pool], weights: list[float]):
    """Each source needs one weight above 0."""
    pools = [make_pool(name="a"), make_pool(name="b")]
    with pytest.raises(DataError, match="each needs one above 0"):
        EpisodeSampler(pools, SHAPE, seed=0, split="train", weights=weights)


def test_no_source_is_refused():
    """A split without a source says so."""
    with pytest.raises(DataError, match="Meta-train has no source"):
        EpisodeSampler([], SHAPE, seed=0, split="train")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"n_way": (5, 3)}, "n_way is .5, 3.; the first number must not be above"),
        ({"unbalanced": True, "k_shot": 3}, "unbalanced needs k_shot as a range"),
        ({"k_shot": 0}, "greater than or equal to 1"),
    ],
)
def test_an_impossible_shape_is_refused(values: dict[str, object], message: str):
    """Ranges rise, shots are at least one, and unbalanced needs a range."""
    with pytest.raises(ValidationError, match=message):
        EpisodeShape(**values)


def test_tags_have_each_type_mentioned_k_to_2k_times(make_tagged: Callable[..., Pool]):
    """In each support of greedy K~2K sampling every type of the episode has K to 2K mentions."""
    rng = np.random.default_rng(0)
    rows = [[int(rng.integers(0, 4)) if rng.random() < 0.4 else 0 for _ in range(6)] for _ in range(300)]
    pool = make_tagged(rows, ["per", "loc", "org"])
    shape = EpisodeShape(n_way=3, k_shot=2, n_query=5)
    sampler = EpisodeSampler([pool], shape, seed=0, split="train")
    for index in range(10):
        episode = sampler.episode(index)
        counts = _mentions(rows, episode.support.rows)
        assert ((counts >= 2) & (counts <= 4)).all()
        assert not set(episode.support.rows) & set(episode.query.rows)


def _mentions(rows: list[list[int]], chosen: np.ndarray) -> np.ndarray:
    counts = np.zeros(4, int)
    for row in chosen:
        before = 0
        for value in rows[row]:
            counts[value] += value != before and value > 0
            before = value
    return counts[1:]


def test_rows_with_types_of_no_part_in_the_episode_are_left_out(make_tagged: Callable[..., Pool]):
    """Of a pool of four types a 2-way episode holds only rows that mention its two, or none but them."""
    rng = np.random.default_rng(0)
    rows = [[int(rng.integers(1, 5)) if rng.random() < 0.3 else 0 for _ in range(6)] for _ in range(400)]
    sampler = EpisodeSampler(
        [make_tagged(rows, ["a", "b", "c", "d"])],
        EpisodeShape(n_way=2, k_shot=2, n_query=2),
        seed=0,
        split="train",
    )
    for index in range(10):
        episode = sampler.episode(index)
        found = {value for row in (*episode.support.rows, *episode.query.rows) for value in rows[row]}
        assert found - {0} == set(episode.classes + 1)
