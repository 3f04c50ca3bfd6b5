from collections.abc import Callable

import numpy as np
import pytest

from models.episodes import Pool
from models.errors import DataError


def test_counts_are_rows_of_each_class(make_pool: Callable[..., Pool]):
    """Each class's rows are counted."""
    assert make_pool((3, 0, 2)).counts.tolist() == [3, 0, 2]


def test_counts_of_tags_are_rows_that_mention_the_type(make_tagged: Callable[..., Pool]):
    """A row counts once for a type, however often it mentions it."""
    assert make_tagged([[1, 0, 1], [2, 1]], ["a", "b", "c"]).counts.tolist() == [2, 1, 0]


def test_a_restricted_pool_keeps_the_rows_of_its_classes(make_pool: Callable[..., Pool]):
    """Classes are numbered anew in the order asked for, and rows keep their sub-words."""
    pool = make_pool((2, 2, 2)).restricted(["source-2", "source-0"])
    assert pool.classes == ("source-2", "source-0")
    assert pool.labels.values.tolist() == [1, 1, 0, 0]
    assert pool.ids.values.reshape(-1, 3)[:, 0].tolist() == [0, 1, 4, 5]


def test_restricted_tags_keep_rows_of_these_types_alone(make_tagged: Callable[..., Pool]):
    """A row that also mentions another type, or none, is left out: no row can stand in two splits."""
    pool = make_tagged([[1, 2, 0], [1], [0, 2], [0, 0]], ["a", "b"]).restricted(["b"])
    assert len(pool) == 1
    assert pool.labels.values[pool.labels.values >= 0].tolist() == [0, 1]


def test_an_unknown_class_is_refused(make_pool: Callable[..., Pool]):
    """The message names the class and those that there are."""
    with pytest.raises(DataError, match="has no class 'x'; it has source-0, source-1"):
        make_pool((1, 1)).restricted(["x"])


def test_restricting_does_not_change_the_pool(make_pool: Callable[..., Pool]):
    """The pool that was asked is as it was."""
    pool = make_pool((2, 2))
    pool.restricted(["source-1"])
    assert np.bincount(pool.labels.values).tolist() == [2, 2]
