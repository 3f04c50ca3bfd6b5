"""Gather what the gate looks at, ask it, and write its verdict into the ledger, once."""

from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models.gate import Measured, judge
from models.gating.tables import OutcomeTables, evidence_from
from models.schemas import AgentConfig, DatasetSnapshot, EvaluationReport, GateReport
from models.schemas.agent import GATE_FIELDS
from models.schemas.base import Record
from tasks.io.books import Books
from tasks.io.champion import Champion
from tasks.io.digests import checked, digest_of
from tasks.io.evaluation import OUTCOMES, read_baselines
from tasks.io.ledger import Decision, uses
from tasks.io.rows import text_hashes
from tasks.io.verdicts import recorded

_EVERY = ("train", "validation", "test")


class Occasion(Record):
    """What a verdict is about; the same occasion under the same rules is judged once.

    Args:
        version: The challenger's version.
        champion: The present champion; None if there is none.
        snapshot: The rows that the challenger learned from and is judged on.
        window: The rows that are new now.
    """

    version: int
    champion: Champion | None
    snapshot: DatasetSnapshot
    window: DatasetSnapshot

    @property
    def present(self) -> int | None:
        """Number of the present champion."""
        return self.champion.version if self.champion else None

    def key(self, config: AgentConfig) -> str:
        """Identify the verdict: versions, rows, and the gate's rules."""
        rules = {name: getattr(config, name) for name in GATE_FIELDS}
        rows = [self.snapshot.artifact.digest, self.window.artifact.digest]
        return digest_of([config.name, self.version, self.present, rows, rules])


class OlderRows(Record):
    """Evaluations on held-out rows that the challenger's snapshot lacks: see `older_rows`.

    Args:
        challenger: The challenger's.
        incumbent: The champion's.
        anchor: The pinned version's, if there is one.
    """

    challenger: EvaluationReport
    incumbent: EvaluationReport | None = None
    anchor: EvaluationReport | None = None


class Contest(Record):
    """Who is compared with whom.

    Args:
        occasion: The versions and the rows.
        challenger: The challenger's evaluation.
        incumbent: The champion's evaluation on the challenger's snapshot.
        pinned: The pinned version, if there is one.
        anchor: Its evaluation on the challenger's snapshot.
        older: Evaluations of the same versions on each of the older snapshots.
    """

    occasion: Occasion
    challenger: EvaluationReport
    incumbent: EvaluationReport | None = None
    pinned: Champion | None = None
    anchor: EvaluationReport | None = None
    older: tuple[OlderRows, ...] = ()


def older_rows(
    config: AgentConfig, occasion: Occasion, pinned: Champion | None
) -> tuple[DatasetSnapshot, ...]:
    """Give the snapshots of champion and pinned version with held-out rows that the challenger's lacks.

    A challenger may have learned from less than the champion knows; what it forgets shows on these rows
    only. Where a label was given up they can't be scored any more.
    """
    if occasion.champion is None:
        return ()
    found, known = [], text_hashes(occasion.snapshot, _EVERY)
    for version in (occasion.champion, pinned):
        if version and set(version.config.labels) <= set(config.labels):
            held_out = text_hashes(version.snapshot, ("test",))
            if not np.isin(held_out, known).all():
                found.append(version.snapshot)
                known = np.concatenate([known, held_out])
    return tuple(found)


def judge_contest(books: Books, config: AgentConfig, contest: Contest) -> GateReport:
    """Ask the gate and record its verdict, together with one more use of each row that it rests on."""
    table = _untrained(_outcomes(contest, "challenger"), contest)
    hashes = table["text_hash"].to_numpy()
    evidence = evidence_from(
        OutcomeTables(
            challenger=table,
            champion=_outcomes(contest, "incumbent"),
            anchor=_outcomes(contest, "anchor"),
            baselines={} if contest.incumbent else read_baselines(contest.challenger.outcomes),
        ),
        current=_current(contest.occasion),
        uses=uses(books.ledger, config.name, hashes),
        measured=Measured(
            latency_ms=contest.challenger.latency_ms["1"],
            calibration_error=contest.challenger.calibration_error,
            size_mb=contest.challenger.size_mb,
            robustness={one.perturbation: one.lost.value for one in contest.challenger.robustness},
            slices=contest.challenger.slices,
        ),
        metric=_metric(contest.challenger),
    )
    report = judge(evidence, config)
    occasion = contest.occasion
    decision = Decision(
        key=occasion.key(config),
        agent=config.name,
        challenger=occasion.version,
        champion=occasion.present,
        snapshot=occasion.snapshot.artifact.digest,
        report=report,
    )
    return recorded(books, decision, hashes[evidence.fresh(config.max_reuse)])


def _metric(report: EvaluationReport) -> Literal["accuracy", "f1"]:
    return "accuracy" if report.primary == "accuracy" else "f1"


def _outcomes(contest: Contest, who: Literal["challenger", "incumbent", "anchor"]) -> pa.Table | None:
    """Read a version's outcomes on the challenger's snapshot, and on the rows that older ones add."""
    reports = [getattr(part, who) for part in (contest, *contest.older)]
    if reports[0] is None:
        return None
    own, *others = [pq.read_table(checked(report.outcomes) / OUTCOMES) for report in reports]
    if not others:
        return own
    tables, known = [own], text_hashes(contest.occasion.snapshot, _EVERY)
    for table in others:
        hashes = table["text_hash"].to_numpy()
        tables.append(table.filter(pa.array(~np.isin(hashes, known))))
        known = np.concatenate([known, hashes])
    return pa.concat_tables(tables)


def _untrained(table: pa.Table, contest: Contest) -> pa.Table:
    """Leave out the rows that champion or anchor learned from (their shares may have been others)."""
    others = [c.snapshot for c in (contest.occasion.champion, contest.pinned) if c]
    learned = [text_hashes(snapshot, ("train", "validation")) for snapshot in others]
    if not learned:
        return table
    return table.filter(pa.array(~np.isin(table["text_hash"].to_numpy(), np.concatenate(learned))))


def _current(occasion: Occasion) -> pa.Array:
    """Give the hashes of the window's rows that are new to the champion; all if none is.

    Which of them are held out, the challenger's own snapshot says.
    """
    rows = text_hashes(occasion.window, _EVERY)
    if occasion.champion is None:
        return pa.array(rows)
    new = rows[~np.isin(rows, text_hashes(occasion.champion.snapshot, _EVERY))]
    return pa.array(new if len(new) else rows)
