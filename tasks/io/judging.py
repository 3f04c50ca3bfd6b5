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
from tasks.io.ledger import Decision, decisions, find_decision, history, record_decision, uses
from tasks.io.rows import text_hashes

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


class Contest(Record):
    """Who is compared with whom.

    Args:
        occasion: The versions and the rows.
        challenger: The challenger's evaluation.
        incumbent: The champion's evaluation on the challenger's snapshot.
        pinned: The pinned version, if there is one.
        anchor: Its evaluation on the challenger's snapshot.
    """

    occasion: Occasion
    challenger: EvaluationReport
    incumbent: EvaluationReport | None = None
    pinned: Champion | None = None
    anchor: EvaluationReport | None = None


def earlier_verdict(books: Books, config: AgentConfig, occasion: Occasion) -> GateReport | None:
    """Give the verdict that was found already, so that nothing is judged twice.

    A version that was promoted once is not judged again, whoever is champion now.
    """
    if any(
        m.to_version == occasion.version and m.state == "done" for m in history(books.ledger, config.name)
    ):
        found = [d for d in decisions(books.ledger, config.name) if d.challenger == occasion.version]
        if found:
            return found[-1].report
    earlier = find_decision(books.ledger, occasion.key(config))
    return earlier.report if earlier else None


def judge_contest(books: Books, config: AgentConfig, contest: Contest) -> GateReport:
    """Ask the gate and record its verdict, together with one more use of each row that it rests on."""
    table = _untrained(_outcomes(contest.challenger), contest)
    hashes = table["text_hash"].to_numpy()
    evidence = evidence_from(
        OutcomeTables(
            challenger=table,
            champion=_outcomes(contest.incumbent) if contest.incumbent else None,
            anchor=_outcomes(contest.anchor) if contest.anchor else None,
            baselines=read_baselines(contest.challenger.outcomes),
        ),
        current=_current(contest.occasion),
        uses=uses(books.ledger, config.name, hashes),
        measured=Measured(
            latency_ms=contest.challenger.latency_ms["1"],
            calibration_error=contest.challenger.calibration_error,
            size_mb=contest.challenger.size_mb,
        ),
        metric=_metric(contest.challenger),
    )
    report = judge(evidence, config)
    return _recorded(books, config, contest.occasion, report, hashes[evidence.fresh(config.max_reuse)])


def _recorded(
    books: Books, config: AgentConfig, occasion: Occasion, report: GateReport, looked_at: np.ndarray
) -> GateReport:
    """Write a verdict down; where another process was first, its verdict counts."""
    compared = report.superiority is not None or report.baselines
    decision = Decision(
        key=occasion.key(config),
        agent=config.name,
        challenger=occasion.version,
        champion=occasion.present,
        snapshot=occasion.snapshot.artifact.digest,
        report=report,
    )
    record_decision(books.ledger, decision, looked_at if compared else looked_at[:0])
    first = find_decision(books.ledger, decision.key)
    return first.report if first else report


def _metric(report: EvaluationReport) -> Literal["accuracy", "f1"]:
    return "accuracy" if report.primary == "accuracy" else "f1"


def _outcomes(report: EvaluationReport) -> pa.Table:
    return pq.read_table(checked(report.outcomes) / OUTCOMES)


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
