"""That no class, or no domain, stands in two of meta-training, meta-validation and meta-test."""

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from models.episodes.pool import Pool
from models.errors import DataError

Disjoint = Literal["classes", "domains"]
_ONE = {"classes": "Class", "domains": "Domain"}
_NAME_PARTS = re.compile(r"[\W_]+")
_BETWEEN_WORDS = re.compile(r"(?<=[^\W_])[\s_-]+(?=[^\W_])")


def words_of(name: str) -> str:
    """Write the name of a class as words; nothing, where it has no letter or digit."""
    return " ".join(_NAME_PARTS.split(name)).strip()


def key(name: str) -> str:
    """Give the form in which names of classes and domains are compared: `Card_arrival` is `card arrival`."""
    return _BETWEEN_WORDS.sub(" ", name.strip()).casefold()


def check_disjoint(splits: Mapping[str, Sequence[Pool]], by: Disjoint) -> None:
    """Refuse splits that share what they are declared not to share.

    Args:
        splits: The pools of each split.
        by: `classes`: no class name stands in two splits. `domains`: no domain does; classes may.

    Raises:
        DataError: Something is shared, or a split is empty.
    """
    seen: dict[str, str] = {}
    for split, pools in splits.items():
        if not any(len(pool) for pool in pools):
            raise DataError(f"The meta-{split} split has no rows; name at least one source or class for it.")
        given = (pool.classes if by == "classes" else (pool.domain,) for pool in pools)
        names = {key(name): name.strip() for found in given for name in found}
        shared = sorted(names.keys() & seen.keys())
        if shared:
            raise DataError(
                f"{_ONE[by]} {names[shared[0]]!r} stands in meta-{seen[shared[0]]} and in meta-{split} "
                f"({len(shared)} in all). Splits are declared disjoint by {by}: put each in one."
            )
        seen |= dict.fromkeys(names, split)
