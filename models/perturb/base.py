"""What every perturbation of rows does; one subclass a file, listed in `models/perturb/__init__.py`.

A perturbation changes what a model reads and leaves the truth as it is. How a model stands up to it is
measured in `models/robustness.py`.
"""

import zlib
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.ragged import Ragged

_STEP, _MIX_1, _MIX_2 = (np.uint64(n) for n in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


@dataclass(frozen=True)
class Dose:
    """How much is changed, and by which random numbers.

    Args:
        share: Share of the words (or entities) that can be changed (fraction, 0-1); at least one a row.
        seed: The same seed changes the same row alike, whatever other rows there are.
    """

    share: float
    seed: int


class Perturbation(ABC):
    """Change rows as their writers might have."""

    name: ClassVar[str]
    needs: ClassVar[frozenset[str]] = frozenset()
    """Columns that the rows must have beside the one that is read."""

    @abstractmethod
    def apply(self, rows: pa.Table, column: str, dose: Dose) -> pa.Table:
        """Change `column` (strings, or lists of words), and what has to stay aligned with it.

        Args:
            rows: Rows with `text_hash` (uint64), the column, and `tags` where its words have some.
            column: The column that models read.
            dose: How much.
        """

    def noise(self, keys: np.ndarray, places: np.ndarray, dose: Dose, salt: int = 0) -> np.ndarray:
        """Draw one uint64 for each place of a row, by the row's own key alone.

        Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014 (SplitMix64).

        Args:
            keys: (n,) uint64, the row's.
            places: (n,) places in the row, from 0.
            dose: Its seed counts.
            salt: Tells draws for several purposes apart.
        """
        stream = np.array([zlib.crc32(f"{self.name} {dose.seed} {salt}".encode())], np.uint64)
        return _mixed(_mixed(keys ^ _mixed(stream * _STEP)) + places.astype(np.uint64) * _STEP)

    def choose(self, able: np.ndarray, words: Ragged, keys: np.ndarray, dose: Dose) -> np.ndarray:
        """Choose a share of those that are able, and one at least in each row that has one.

        Args:
            able: (total,) bool.
            words: What belongs to which row.
            keys: (rows,) uint64.
            dose: How much.

        Returns:
            (total,) bool.
        """
        owners = words.owners
        draws = self.noise(keys[owners], words.places, dose) / 2.0**64
        draws = np.where(able, draws, np.inf)
        lowest = np.full(len(keys), np.inf)
        np.minimum.at(lowest, owners, draws)
        chosen: np.ndarray = able & ((draws < dose.share) | (draws == lowest[owners]))
        return chosen


class WordPerturbation(Perturbation):
    """Change words one by one; a word stays one word, so tags stay with their words."""

    entities: ClassVar[bool] = True
    """Whether words of an entity may be changed."""

    @abstractmethod
    def able(self, words: pa.Array) -> np.ndarray:
        """Tell which words it can change, (words,) bool."""

    @abstractmethod
    def change(self, words: pa.Array, noise: np.ndarray) -> pa.Array:
        """Change words, each by its own random number, (words,) uint64."""

    def apply(self, rows: pa.Table, column: str, dose: Dose) -> pa.Table:
        """Change some words of each row; what is between words becomes a blank in rows that change."""
        place = rows.column_names.index(column)
        whole = rows[column].combine_chunks()
        split = pa.types.is_string(whole.type)
        lists = pc.split_pattern_regex(pc.fill_null(whole, ""), r"\s+") if split else whole
        words = pc.list_flatten(lists)
        lengths = pc.list_value_length(lists).to_numpy(zero_copy_only=False)
        layout = Ragged.from_lengths(np.arange(len(words)), lengths)
        keys = rows["text_hash"].to_numpy()
        able = self.able(words)
        if not self.entities and "tags" in rows.column_names:
            tags = pc.list_flatten(rows["tags"].combine_chunks())
            able &= pc.equal(tags, "O").to_numpy(zero_copy_only=False)
        chosen = self.choose(able, layout, keys, dose)
        noise = self.noise(keys[layout.owners[chosen]], layout.places[chosen], dose, salt=1)
        changed = self.change(words.filter(pa.array(chosen)), noise)
        words = pc.replace_with_mask(words, pa.array(chosen), changed.cast(words.type))
        lists = pa.ListArray.from_arrays(pa.array(layout.offsets, pa.int32()), words)
        if split:
            touched = np.bincount(layout.owners, chosen, rows.num_rows) > 0
            joined = pc.binary_join(lists, " ")
            return rows.set_column(place, column, pc.if_else(pa.array(touched), joined, whole))
        return rows.set_column(place, column, lists.cast(whole.type))


def _mixed(values: np.ndarray) -> np.ndarray:
    """Scramble uint64 values, each by itself."""
    with np.errstate(over="ignore"):
        values = (values ^ (values >> np.uint64(30))) * _MIX_1
        values = (values ^ (values >> np.uint64(27))) * _MIX_2
    scrambled: np.ndarray = values ^ (values >> np.uint64(31))
    return scrambled
