from collections.abc import Callable

import numpy as np

from models.episodes import Pool
from models.episodes.greedy import greedy_rows, mentions


def test_a_mention_is_a_run_of_one_type(make_tagged: Callable[..., Pool]):
    """Two words of one type in a row are one mention, apart they are two; another type begins anew."""
    pool = make_tagged([[1, 1, 0, 1], [1, 2, 2, 0], [0, 0]], ["a", "b"])
    assert mentions(pool).tolist() == [[2, 0], [1, 1], [0, 0]]


def test_a_mention_does_not_run_on_into_the_next_row(make_tagged: Callable[..., Pool]):
    """A type at the end of a row and at the beginning of the next is two mentions."""
    assert mentions(make_tagged([[0, 1], [1, 0]], ["a"])).tolist() == [[1], [1]]


def test_a_type_that_only_comes_with_crowds_still_gets_its_shots():
    """Where every row of a type mentions another too often, the least crowded rows are taken."""
    counts = np.array([[1, 9], [1, 7], [0, 1], [0, 1]])
    chosen = greedy_rows(counts, np.array([1, 1]), np.random.default_rng(0))
    assert counts[chosen].sum(0)[0] >= 1
    assert 0 not in chosen


def test_rows_without_a_type_are_left_out():
    """A row that mentions nothing is never chosen."""
    counts = np.array([[0, 0], [1, 0], [0, 1]])
    assert sorted(greedy_rows(counts, np.array([1, 1]), np.random.default_rng(0))) == [1, 2]
