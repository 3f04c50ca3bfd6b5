"""Ingest: from an agent's sources to one content-addressed snapshot, in flat memory.

First all blocks are read, checked and hashed. Where equal texts are looked for, or splits go by time,
rows wait on disk until all have been seen; then what repeats is put aside and the rest is written.
"""

import logging
import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.errors import DataError
from models.schemas import AgentConfig, ArtifactRef, DatasetSnapshot, SourceConfig
from tasks.io.ingest_blocks import Block, read_blocks
from tasks.io.quarantine import CONFLICT, EXACT, NORMALIZED, Quarantine
from tasks.io.snapshot_rows import RowsWriter
from tasks.io.snapshot_store import QUARANTINE, ROWS, load_snapshot, store, verify, work_folder
from tasks.io.spool import Spool

__all__ = ["ingest", "load_snapshot", "verify"]

logger = logging.getLogger(__name__)

Progress = Callable[[int], None]

_COMMONEST = 5


@dataclass(frozen=True)
class _Sinks:
    """Where rows and the others go."""

    config: AgentConfig
    rows: RowsWriter
    quarantine: Quarantine


def ingest(
    config: AgentConfig,
    home: Path,
    sources: Sequence[SourceConfig] | None = None,
    on_progress: Progress | None = None,
    *,
    find_duplicates: bool = True,
) -> DatasetSnapshot:
    """Read, check, split and store an agent's rows.

    The first row of each text (after normalization) stays; the others go to the quarantine as
    "duplicate", "duplicate after normalization" or "conflicting label", and don't count as bad.

    Args:
        config: The agent.
        home: Root of the state; the snapshot goes to `home/snapshots/<digest>`.
        sources: Where rows come from, instead of the agent's own sources.
        on_progress: Called with the number of rows seen so far.
        find_duplicates: Whether to look for equal texts; always done where splits go by time.

    Raises:
        ConfigError: A source's format can't be told.
        DataError: A source can't be read, no row holds, or too many are bad.
        TransientError: A database is busy or can't be reached.
    """
    chosen = tuple(config.sources if sources is None else sources)
    waits = find_duplicates or config.split_by == "time"
    with work_folder(home) as work:
        content = work / "content"
        content.mkdir()
        with ExitStack() as stack:
            sinks = _Sinks(
                config,
                stack.enter_context(RowsWriter(content / ROWS, config.adapter)),
                stack.enter_context(Quarantine(content / QUARANTINE)),
            )
            spool = stack.enter_context(Spool(work)) if waits else None
            seen = 0
            for block in read_blocks(config, chosen, wait=waits):
                sinks.quarantine.add(block.bad, block.source, block.file)
                _take(block, sinks, spool)
                seen += len(block.rows) + len(block.bad)
                if on_progress:
                    on_progress(seen)
            crossing = spool.settle(config, sinks.rows, sinks.quarantine) if spool else 0
        _check(sinks, seen, home, content)
        snapshot = store(content, home, _record(sinks, crossing))
    logger.info(
        "Ingested %d rows of %d; %d in quarantine; snapshot %s",
        snapshot.rows,
        seen,
        snapshot.quarantined,
        snapshot.artifact.digest[:12],
    )
    return snapshot


def _take(block: Block, sinks: _Sinks, spool: Spool | None) -> None:
    if spool:
        spool.add(block)
        return
    sinks.rows.add(block.rows, np.asarray(block.rows["split_code"]))


def _check(sinks: _Sinks, seen: int, home: Path, content: Path) -> None:
    """Refuse a snapshot without rows or with too many bad ones; its quarantine is kept for looking.

    Raises:
        DataError: It is one of these.
    """
    quarantine, limit = sinks.quarantine, sinks.config.max_quarantine_share
    share = quarantine.bad / seen if seen else 0.0
    if seen and sinks.rows.rows and share <= limit:
        return
    if not seen:
        raise DataError(
            f"The sources of {sinks.config.name!r} hold no rows. Check their addresses and query."
        )
    kept = home / "quarantine" / f"{sinks.config.name}.parquet"
    kept.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(content / QUARANTINE, kept)
    lines = [
        f"  {count} x {reason}, first in {e.file}, line {e.line}: {e.excerpt}"
        for reason, count in quarantine.bad_reasons.most_common(_COMMONEST)
        for e in [quarantine.examples[reason]]
    ]
    raise DataError(
        f"{quarantine.bad} of {seen} rows are bad ({share:.1%}); max_quarantine_share is {limit:.1%}. "
        "Mend the source, its column names, labels or label_map, or raise the limit. Commonest reasons:\n"
        + "\n".join(lines)
        + f"\nAll of them: {kept}"
    )


def _record(sinks: _Sinks, crossing: int) -> DatasetSnapshot:
    rows, reasons = sinks.rows, sinks.quarantine.reasons
    return DatasetSnapshot(
        artifact=ArtifactRef(address="", digest=""),
        adapter=sinks.config.adapter,
        rows=rows.rows,
        quarantined=sum(reasons.values()),
        reasons=dict(sorted(reasons.items())),
        split_counts=dict(rows.splits),
        label_counts={label: rows.labels[label] for label in sinks.config.labels},
        domain_counts=dict(sorted(rows.domains.items())),
        time_start=rows.first,
        time_end=rows.last,
        exact_duplicates=reasons[EXACT],
        normalized_duplicates=reasons[NORMALIZED] + reasons[CONFLICT],
        in_two_splits=crossing,
    )
