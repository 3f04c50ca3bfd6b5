"""Rows made of training rows, each kept only if its text is a new one."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.adapters import TaskAdapter
from models.augment.base import Augmenter
from models.schemas import AgentConfig
from models.schemas.augment_fields import AugmentName
from models.text_hash import SPLITS, split_codes, text_hashes


@dataclass(frozen=True)
class MadeRows:
    """What became of it.

    Args:
        rows: The adapter's own columns, and `way` that made each.
        kept: Rows kept, by way.
        dropped: Rows whose text there is already, by way.
    """

    rows: pa.Table
    kept: dict[str, int]
    dropped: dict[str, int]


def make_rows(
    adapter: TaskAdapter,
    ways: Mapping[AugmentName, Augmenter],
    train: pa.Table,
    known: np.ndarray,
    show: Callable[[float, str], None] = lambda _, __: None,
) -> MadeRows:
    """Rewrite training rows in every way, as often as the agent asks; nothing is made of made rows.

    A text that stands in any split already, held-out ones first of all, or was made before, is dropped, and
    one that would be held out if it came as a row.

    Args:
        adapter: Says which column is rewritten, and what the rows' labels are.
        ways: What rewrites, by name.
        train: Training rows with the adapter's own columns.
        known: Hashes of the texts of all rows.
        show: Told the share that is done (fraction, 0-1), and the way.
    """
    config, column = adapter.config, str(adapter.rewrites)
    train = train.select(adapter.columns().names)
    texts, classes = train[column].to_pylist(), _classes(train[adapter.truth()])
    kept, dropped = (Counter[str](dict.fromkeys(ways, 0)) for _ in range(2))
    tables = [train.slice(0, 0).append_column("way", pa.array([], pa.string()))]
    rounds = [(name, way, copy) for name, way in ways.items() for copy in range(config.augment_copies)]
    for number, (name, way, copy) in enumerate(rounds):
        rng = np.random.default_rng([config.seed, number, copy])
        made = way.rewrite(texts, classes, rng, _part(show, number, len(rounds), name))
        hashes = text_hashes(pa.array(made, pa.string()))
        first = np.zeros(len(made), bool)
        first[np.unique(hashes, return_index=True)[1]] = True
        new = first & ~np.isin(hashes, known) & _may_be_learned(hashes, config)
        known = np.concatenate([known, hashes[new]])
        table = train.set_column(train.column_names.index(column), column, pa.array(made, pa.string()))
        tables.append(table.append_column("way", pa.repeat(name, len(made))).filter(pa.array(new)))
        kept[name] += int(new.sum())
        dropped[name] += int((~new).sum())
    return MadeRows(pa.concat_tables(tables), dict(kept), dict(dropped))


def _may_be_learned(hashes: np.ndarray, config: AgentConfig) -> np.ndarray:
    """Tell which texts would be training rows if they came as rows: others are held out once they do."""
    if config.split_by == "time":
        return np.ones(len(hashes), bool)
    codes = split_codes(hashes, config.validation_share, config.test_share)
    learned: np.ndarray = codes == SPLITS.index("train")
    return learned


def _part(show: Callable[[float, str], None], number: int, rounds: int, name: str) -> Callable[[float], None]:
    return lambda share: show((number + share) / rounds, name)


def _classes(truth: pa.ChunkedArray) -> np.ndarray:
    """Number the different truths: rows of one number may be mixed."""
    flat = pc.binary_join(truth, "\n") if pa.types.is_list(truth.type) else truth
    codes: np.ndarray = flat.combine_chunks().dictionary_encode().indices.to_numpy(zero_copy_only=False)
    return codes.astype(np.int64)
