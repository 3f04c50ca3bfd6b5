"""Gather what the gate looks at, ask it, and write its verdict into the ledger, once."""

from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models.gate import Measured, judge
from models.gating.tables import OutcomeTables, evidence_from
from models.schemas import AgentConfig, DatasetSnapshot, EvaluationReport, GateReport
from models.schemas.base import Record
from tasks.io.books import Books
from tasks.io.champion import Champion
from tasks.io.digests import digest_of
from tasks.io.evaluation import OUTCOMES, read_baselines
from tasks.io.ledger import Decision, decisions, history, record_decision, uses
from tasks.io.rows import text_hashes

_EVERY = ("train", "validation", "test")


class Contest(Record):
    """Who is compared with whom.

    Args:
        version: The challenger's version.
        challenger: Its evaluation.
        champion: The present champion; None if there is none.
        incumbent: The champion's evaluation on the challenger's snapshot.
        anchor: The pinned version's evaluation on the challenger's snapshot.
        window: The rows that are new now.
    """

    version: int
    challenger: EvaluationReport
    champion: Champion | None
    incumbent: EvaluationReport | None
    anchor: EvaluationReport | None = None
    window: DatasetSnapshot


def earlier_verdict(books: Books, agent: str, version: int, champion: int | None) -> GateReport | None:
    """Give the verdict that a version has had already, so that nothing is judged twice.

    One who was promoted once is not judged again, whoever is champion now; one who was not may try
    again when the champion is another.
    """
    promoted = any(m.to_version == version and m.state == "done" for m in history(books.ledger, agent))
    found = [
        d
        for d in decisions(books.ledger, agent)
        if d.challenger == version and (promoted or d.champion == champion)
    ]
    return found[-1].report if found else None


def judge_contest(books: Books, config: AgentConfig, contest: Contest) -> GateReport:
    """Ask the gate and record its verdict, together with one more use of each row that it rests on."""
    champion = contest.champion
    table = _untrained(_outcomes(contest.challenger), champion)
    evidence = evidence_from(
        OutcomeTables(
            challenger=table,
            champion=_outcomes(contest.incumbent) if contest.incumbent else None,
            anchor=_outcomes(contest.anchor) if contest.anchor else None,
            baselines=read_baselines(contest.challenger.outcomes),
        ),
        current=_current(contest),
        uses=uses(books.ledger, config.name, table["text_hash"].to_numpy()),
        measured=Measured(
            latency_ms=contest.challenger.latency_ms["1"],
            calibration_error=contest.challenger.calibration_error,
            size_mb=contest.challenger.size_mb,
        ),
        metric=_metric(contest.challenger),
    )
    report = judge(evidence, config)
    present = champion.version if champion else None
    snapshot = contest.challenger.snapshot.digest
    key = digest_of([config.name, contest.version, present, snapshot])
    decision = Decision(key, config.name, contest.version, present, snapshot, report)
    record_decision(books.ledger, decision, table["text_hash"].to_numpy())
    return report


def _metric(report: EvaluationReport) -> Literal["accuracy", "f1"]:
    return "accuracy" if report.primary == "accuracy" else "f1"


def _outcomes(report: EvaluationReport) -> pa.Table:
    return pq.read_table(Path(report.outcomes.address) / OUTCOMES)


def _untrained(table: pa.Table, champion: Champion | None) -> pa.Table:
    """Leave out the rows that the champion learned from (its shares may have been others)."""
    if champion is None:
        return table
    learned = text_hashes(champion.snapshot, ("train", "validation"))
    return table.filter(pa.array(~np.isin(table["text_hash"].to_numpy(), learned)))


def _current(contest: Contest) -> pa.Array:
    """Give the hashes of the window's held-out rows that are new to the champion; all if none is."""
    held_out = text_hashes(contest.window, ("test",))
    if contest.champion is None:
        return pa.array(held_out)
    new = held_out[~np.isin(held_out, text_hashes(contest.champion.snapshot, _EVERY))]
    return pa.array(new if len(new) else held_out)
