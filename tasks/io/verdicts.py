"""Verdicts in the ledger: each is found once, and what was found counts."""

import numpy as np

from models.schemas import GateReport
from tasks.io.books import Books
from tasks.io.ledger import Decision, decisions, find_decision, history, record_decision


def earlier_verdict(books: Books, agent: str, version: int, key: str) -> GateReport | None:
    """Give the verdict that was found already, so that nothing is judged twice.

    A version that was promoted once is not judged again, whoever is champion now.

    Args:
        books: The record.
        agent: The agent, or the start as the registry knows it.
        version: The challenger.
        key: What the verdict is about.
    """
    if any(m.to_version == version and m.state == "done" for m in history(books.ledger, agent)):
        found = [d for d in decisions(books.ledger, agent) if d.challenger == version]
        if found:
            return found[-1].report
    earlier = find_decision(books.ledger, key)
    return earlier.report if earlier else None


def recorded(books: Books, decision: Decision, looked_at: np.ndarray) -> GateReport:
    """Write a verdict down; where another process was first, its verdict counts.

    Args:
        books: The record.
        decision: The verdict, and what it is about.
        looked_at: Hashes of the rows that it rests on, each of which has served one more decision.
    """
    compared = decision.report.superiority is not None or decision.report.baselines
    record_decision(books.ledger, decision, looked_at if compared else looked_at[:0])
    first = find_decision(books.ledger, decision.key)
    return first.report if first else decision.report
