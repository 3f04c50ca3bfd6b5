"""EpisodeShape: how many classes, shots and queries an episode has."""

from typing import Annotated

import numpy as np
from pydantic import Field, model_validator

from models.schemas.base import Record

Count = Annotated[int, Field(ge=1)]


class EpisodeShape(Record):
    """The size of an episode; a pair of numbers is a range, both ends included.

    Args:
        n_way: Classes (entity types, for token labelling; the rest of the text is a class of its own).
        k_shot: Support examples of a class. For token labelling at least this many mentions of a type,
            and at most twice as many where sentences allow it.
        n_query: Query examples of a class.
        names: Put each class's name into the support, as one more example of it.
        unbalanced: Draw each class's shots by itself from the range of `k_shot`, not one number for all.
    """

    n_way: Count | tuple[Count, Count] = 5
    k_shot: Count | tuple[Count, Count] = 1
    n_query: Count = 5
    names: bool = False
    unbalanced: bool = False

    @model_validator(mode="after")
    def _ranges_rise(self) -> "EpisodeShape":
        for name, value in (("n_way", self.n_way), ("k_shot", self.k_shot)):
            low, high = ends(value)
            if low > high:
                raise ValueError(f"{name} is ({low}, {high}); the first number must not be above the second")
        if self.unbalanced and ends(self.k_shot)[0] == ends(self.k_shot)[1]:
            raise ValueError("unbalanced needs k_shot as a range, such as (1, 10)")
        return self

    def draw_ways(self, rng: np.random.Generator, classes: int) -> int:
        """Draw how many classes an episode has, at most as many as there are."""
        low, high = ends(self.n_way)
        return int(rng.integers(low, min(high, max(low, classes)) + 1))

    def draw_shots(self, rng: np.random.Generator, n_way: int) -> np.ndarray:
        """Draw how many shots each class has, (n_way,)."""
        low, high = ends(self.k_shot)
        drawn: np.ndarray = rng.integers(low, high + 1, n_way if self.unbalanced else 1)
        return np.broadcast_to(drawn, (n_way,)).copy()


def ends(value: int | tuple[int, int]) -> tuple[int, int]:
    """Give both ends of a number or a range."""
    return value if isinstance(value, tuple) else (value, value)
