"""Verdicts and the uses of held-out rows."""

import numpy as np
from sqlalchemy import Engine, event

from models.schemas import GateReport
from tasks.io.ledger import Decision, decisions, find_decision, record_decision, uses

HASHES = np.array([1, 2**63, 2**64 - 1, 5], dtype=np.uint64)


def decision(key: str) -> Decision:
    """Make a verdict."""
    return Decision(key, "agent", 2, 1, "snapshot", GateReport(verdict="keep", reason="no better", rows=4))


def test_a_verdict_comes_back_whole(ledger: Engine):
    """The gate's report is found by its key as it was."""
    assert record_decision(ledger, decision("a"), HASHES)
    found = find_decision(ledger, "a")
    assert found is not None
    assert (found.report, found.challenger, found.champion) == (decision("a").report, 2, 1)
    assert found.at is not None


def test_an_unknown_key_has_no_verdict(ledger: Engine):
    """A decision that was not made is None."""
    assert find_decision(ledger, "a") is None


def test_a_repeated_verdict_counts_once(ledger: Engine):
    """A rerun adds no verdict and no use."""
    assert record_decision(ledger, decision("a"), HASHES)
    assert not record_decision(ledger, decision("a"), HASHES)
    assert len(decisions(ledger, "agent")) == 1
    assert uses(ledger, "agent", HASHES).tolist() == [1, 1, 1, 1]


def test_uses_add_up_by_row_and_agent(ledger: Engine):
    """Each verdict adds one use to its own rows, of its own agent."""
    record_decision(ledger, decision("a"), HASHES)
    record_decision(ledger, decision("b"), HASHES[:2])
    asked = np.array([5, 77, 2**63, 1, 1], dtype=np.uint64)
    assert uses(ledger, "agent", asked).tolist() == [1, 0, 2, 2, 2]
    assert uses(ledger, "other", asked).tolist() == [0, 0, 0, 0, 0]


def test_a_hash_that_stands_twice_counts_once(ledger: Engine):
    """One verdict uses a row once, however often its text stands in the window."""
    record_decision(ledger, decision("a"), np.array([9, 9, 9], dtype=np.uint64))
    assert uses(ledger, "agent", np.array([9], dtype=np.uint64)).tolist() == [1]


def test_no_rows_are_no_uses(ledger: Engine):
    """A verdict without rows is recorded, and asking for no rows gives none."""
    nothing = np.array([], dtype=np.uint64)
    assert record_decision(ledger, decision("a"), nothing)
    assert uses(ledger, "agent", nothing).shape == (0,)


def test_many_rows_are_counted(ledger: Engine):
    """Twenty thousand rows of a decision are all found again, whatever part of uint64 their hashes are in."""
    many = np.random.default_rng(0).integers(0, 2**64, 20_000, dtype=np.uint64)
    record_decision(ledger, decision("a"), many)
    assert uses(ledger, "agent", many).sum() == len(many)


def test_rows_are_written_in_blocks_of_one_transaction(ledger: Engine):
    """Memory does not grow with the held-out rows, and the counts still come together or not at all."""
    blocks, commits = [], []
    event.listen(
        ledger,
        "before_cursor_execute",
        lambda *call: blocks.append(len(call[3])) if call[5] else None,
    )
    event.listen(ledger, "commit", commits.append)
    record_decision(ledger, decision("a"), np.arange(25_000, dtype=np.uint64))
    assert max(blocks) <= 10_000
    assert sum(blocks) == 25_000
    assert len(commits) == 1
