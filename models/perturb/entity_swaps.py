"""Other names in the same places."""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.perturb.base import Dose, Perturbation
from models.ragged import Ragged

_OUTSIDE = -1


class EntitySwaps(Perturbation):
    """Put another entity of the same type in an entity's place, out of all that the rows hold.

    The only entity of a type has nothing to swap with. As one name may have more words than another, tags go
    along with their words; which name comes depends on the other rows too.
    """

    name: ClassVar[str] = "entity_swaps"
    needs: ClassVar[frozenset[str]] = frozenset({"tags"})

    def apply(self, rows: pa.Table, column: str, dose: Dose) -> pa.Table:
        """Swap some entities of each row; words outside of entities stay."""
        units, keys = _Units.of(rows["tags"]), rows["text_hash"].to_numpy()
        chosen = self.choose(units.swappable, units.layout, keys, dose)
        noise = self.noise(keys[units.layout.owners], units.layout.places, dose, salt=1)
        source = np.where(chosen, units.partners(noise), np.arange(len(units.starts)))
        words, lengths = units.words_of(source), units.lengths[source]
        per_row = np.bincount(units.layout.owners, lengths, rows.num_rows).astype(np.int64)
        offsets = pa.array(np.concatenate([[0], np.cumsum(per_row)]), pa.int32())
        for name in (column, "tags"):
            whole, place = rows[name].combine_chunks(), rows.column_names.index(name)
            flat = pc.list_flatten(whole).take(pa.array(words))
            rows = rows.set_column(place, name, pa.ListArray.from_arrays(offsets, flat).cast(whole.type))
        return rows


@dataclass(frozen=True)
class _Units:
    """The words of all rows, with those of an entity taken together.

    Args:
        starts: (units,) first word of each.
        lengths: (units,) words of each.
        types: (units,) code of the entity's type, _OUTSIDE for other words.
        layout: Which units are a row's; its values are the units' numbers.
    """

    starts: np.ndarray
    lengths: np.ndarray
    types: np.ndarray
    layout: Ragged

    @classmethod
    def of(cls, tags: pa.ChunkedArray) -> Self:
        """Read tags in valid IOB2."""
        column = tags.combine_chunks()
        flat = pc.list_flatten(column).cast(pa.string())
        words = Ragged.from_lengths(np.arange(len(flat)), pc.list_value_length(column).to_numpy())
        starts = np.flatnonzero(pc.invert(pc.starts_with(flat, "I-")).to_numpy(zero_copy_only=False))
        kinds = flat.take(pa.array(starts))
        codes = pc.dictionary_encode(kinds).indices.to_numpy().astype(np.int64)
        outside = pc.equal(kinds, "O").to_numpy(zero_copy_only=False)
        per_row = np.bincount(words.owners[starts], minlength=len(column))
        return cls(
            starts,
            np.diff(starts, append=len(flat)),
            np.where(outside, _OUTSIDE, codes),
            Ragged.from_lengths(np.arange(len(starts)), per_row),
        )

    @property
    def swappable(self) -> np.ndarray:
        """Tell which units are entities of a type that comes up again, (units,) bool."""
        counts = np.bincount(self.types + 1, minlength=1)
        several: np.ndarray = (counts[self.types + 1] > 1) & (self.types != _OUTSIDE)
        return several

    def partners(self, noise: np.ndarray) -> np.ndarray:
        """Choose another unit of the same type for each unit, (units,); a lone one gets itself."""
        order = np.argsort(self.types, kind="stable")
        counts = np.bincount(self.types + 1, minlength=1)
        first, count = (np.cumsum(counts) - counts)[self.types + 1], counts[self.types + 1]
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        away = 1 + (noise % np.maximum(count - 1, 1).astype(np.uint64)).astype(np.int64)
        partners: np.ndarray = order[first + (place - first + away) % count]
        return partners

    def words_of(self, units: np.ndarray) -> np.ndarray:
        """Give the places of the units' words, unit after unit."""
        lengths = self.lengths[units]
        ends = np.cumsum(lengths)
        total = int(ends[-1]) if len(ends) else 0
        places: np.ndarray = np.arange(total) + np.repeat(self.starts[units] - (ends - lengths), lengths)
        return places
