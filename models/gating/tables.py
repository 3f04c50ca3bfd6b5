"""From stored outcomes tables to the gate's evidence: the same rows, in the same order, by their hash."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from models.adapters import Outcomes
from models.comparison import MetricKind
from models.errors import DataError
from models.evaluate import outcomes_of
from models.gating.evidence import REFERENCE, GateEvidence, Measured
from models.slices import masks_of


@dataclass(frozen=True)
class OutcomeTables:
    """Outcomes tables (see `models/evaluate.py`) of the versions to compare.

    Args:
        challenger: Its rows are the ones compared.
        champion: Covers at least these rows; None if there is no champion.
        anchor: Covers at least these rows; None if no version is pinned.
        baselines: Each covers at least these rows.
    """

    challenger: pa.Table
    champion: pa.Table | None = None
    anchor: pa.Table | None = None
    baselines: Mapping[str, pa.Table] = field(default_factory=dict)


def evidence_from(
    tables: OutcomeTables,
    current: pa.Array | pa.ChunkedArray | None,
    uses: np.ndarray | None,
    measured: Measured,
    metric: MetricKind,
) -> GateEvidence:
    """Align the tables and find the windows; rows outside of the current one are the reference window.

    Args:
        tables: Outcomes of every version.
        current: Text hashes of the current window's rows; None if all rows are current.
        uses: (rows,) decisions that each row of the challenger's table has served; None is none.
        measured: What the guardrails limit.
        metric: `accuracy` or `f1`.

    Raises:
        DataError: A version lacks outcomes for some of the challenger's rows.
    """
    hashes = tables.challenger["text_hash"].to_numpy()
    now = np.ones(len(hashes), dtype=bool)
    if current is not None:
        now = np.isin(hashes, np.asarray(current, dtype=np.uint64))
    slices = dict(masks_of(tables.challenger["slices"]))
    if not now.all():
        slices[REFERENCE] = ~now
    return GateEvidence(
        challenger=outcomes_of(tables.challenger),
        champion=_aligned("champion", tables.champion, hashes),
        current=now,
        anchor=_aligned("anchor", tables.anchor, hashes),
        baselines={
            name: outcomes
            for name, table in tables.baselines.items()
            if (outcomes := _aligned(name, table, hashes)) is not None
        },
        slices=slices,
        uses=uses,
        measured=measured,
        metric=metric,
    )


def _aligned(name: str, table: pa.Table | None, hashes: np.ndarray) -> Outcomes | None:
    """Bring a version's outcomes into the order of `hashes`."""
    if table is None:
        return None
    offered = table["text_hash"].to_numpy()
    _, codes = np.unique(np.concatenate([hashes, offered]), return_inverse=True)
    wanted, known = _keys(codes[: len(hashes)], len(codes)), _keys(codes[len(hashes) :], len(codes))
    missing = ~np.isin(wanted, known)
    if missing.any():
        raise DataError(
            f"The {name} has no outcomes for {missing.sum():,} of {len(hashes):,} rows; evaluate it on the "
            "challenger's snapshot."
        )
    order = np.argsort(known)
    place = order[np.searchsorted(known[order], wanted)]
    return outcomes_of(table.take(pa.array(place, pa.int64())))


def _keys(codes: np.ndarray, most: int) -> np.ndarray:
    """Tell rows of the same code apart by how many stand before them; `most` is above any such number."""
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    keys = np.empty(len(codes), dtype=np.int64)
    keys[order] = ordered * most + np.arange(len(codes)) - np.searchsorted(ordered, ordered, side="left")
    return keys
