import dataclasses
from collections.abc import Callable

import pytest

from models.episodes import Pool, check_disjoint
from models.episodes.splits import key
from models.errors import DataError


def test_a_class_in_two_splits_is_refused(make_pool: Callable[..., Pool]):
    """The message names the class and both splits."""
    whole = make_pool(name="a")
    splits = {"train": [whole.restricted(["a-0", "a-1"])], "test": [whole.restricted(["a-1", "a-2"])]}
    with pytest.raises(DataError, match="Class 'a-1' stands in meta-train and in meta-test"):
        check_disjoint(splits, "classes")


def test_domains_may_share_classes_but_not_each_other(make_pool: Callable[..., Pool]):
    """Declared disjoint by domain, one domain in two splits is refused, and shared classes are not."""
    one, same, other = (make_pool(name="a", domain=d) for d in ("news", "news", "law"))
    check_disjoint({"train": [one], "test": [other]}, "domains")
    with pytest.raises(DataError, match="Domain 'news' stands in meta-train and in meta-test"):
        check_disjoint({"train": [one], "test": [same]}, "domains")


def test_an_empty_split_is_refused():
    """A split without rows says which."""
    with pytest.raises(DataError, match="meta-validation split has no rows"):
        check_disjoint({"validation": []}, "classes")


def test_names_that_differ_in_more_than_spaces_differ():
    """`C`, `C++` and `C#` are three classes."""
    assert len(set(map(key, ("C", "C++", "C#", "1", "-1", "+1", "A-", "A")))) == 8


@pytest.mark.parametrize("name", [" A-0", "a_0", "a 0"])
def test_a_class_is_the_same_however_it_is_written(make_pool: Callable[..., Pool], name: str):
    """Capitals, and what stands between words, make no other class: as an example the name is the same."""
    one = make_pool(name="a").restricted(["a-0"])
    other = dataclasses.replace(one, classes=(name,))
    with pytest.raises(DataError, match=f"Class '{name.strip()}' stands in meta-train and in meta-test"):
        check_disjoint({"train": [one], "test": [other]}, "classes")
