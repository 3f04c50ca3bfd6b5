"""What a rule of the gate found, and how findings become a sentence."""

from collections.abc import Sequence
from dataclasses import dataclass

from models.schemas import TestResult


@dataclass(frozen=True)
class Finding:
    """A reason not to promote.

    Args:
        text: Clause for the report's reason, with its numbers.
        against: True: it speaks against the challenger. False: it is undecided, more rows would tell.
        needed_rows: How many rows would do, if undecided.
        used_up: Whether rows that it needed were left out because they are used up.
    """

    text: str
    against: bool
    needed_rows: int | None = None
    used_up: bool = False


def explain_used_up(rows: int, max_reuse: int) -> str:
    """Say how many rows were left out, and the two ways out; nothing if none was."""
    if not rows:
        return ""
    return (
        f" ({rows:,} more have served {max_reuse} decisions and are used up; "
        "add labelled rows of it, or raise max_reuse)"
    )


def join_findings(findings: Sequence[Finding]) -> str:
    """Put the first two findings into one clause and count the rest."""
    texts = [finding.text for finding in findings]
    more = f"; and {len(texts) - 2} more" if len(texts) > 2 else ""
    return "; ".join(texts[:2]) + more


def describe(test: TestResult) -> str:
    """Say what was compared: both scores, the rows and the p-value."""
    return (
        f"{100 * test.challenger:.1f} % against {100 * test.champion:.1f} % "
        f"on {test.rows:,} rows (p = {test.p_value:.2g})"
    )
