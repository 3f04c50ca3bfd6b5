"""Is the challenger harmful on some slice, or not shown to be harmless where that is asked for?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from models.comparison import Comparison
from models.gating.evidence import REFERENCE
from models.gating.finding import Finding, describe, explain_used_up
from models.gating.rules import GateRules
from models.schemas import TestResult
from models.statistics import holm, needed_rows


class Scores(TypedDict):
    """The fields of a TestResult that say what was compared."""

    rows: int
    challenger: float
    champion: float
    difference: float


@dataclass(frozen=True)
class SliceTests:
    """What the rules on slices gave.

    Args:
        tests: One harm test for each judged slice, then one for each protected slice.
        too_small: Rows of each slice that is too small to judge.
        findings: Reasons not to promote.
    """

    tests: tuple[TestResult, ...]
    too_small: dict[str, int]
    findings: list[Finding]


@dataclass(frozen=True)
class Slice:
    """One slice of a comparison.

    Args:
        comparison: Where its numbers are.
        index: Its place there.
        used_up: Rows of it that were left out.
    """

    comparison: Comparison
    index: int
    used_up: int

    @property
    def rows(self) -> int:
        """Count its rows."""
        return int(self.comparison.rows[self.index])

    def scores(self) -> Scores:
        """Give the numbers that every test of this slice reports."""
        return {
            "rows": self.rows,
            "challenger": float(self.comparison.challenger[self.index]),
            "champion": float(self.comparison.champion[self.index]),
            "difference": float(self.comparison.gain[self.index]),
        }


def judge_slices(slices: Mapping[str, Slice], rules: GateRules) -> SliceTests:
    """Test every slice for harm and the protected ones for being harmless.

    Args:
        slices: Slices by name, the anchor among them.
        rules: The agent's description, or the start's.
    """
    big = {name: part for name, part in slices.items() if part.rows >= rules.min_slice_rows}
    too_small = {name: part.rows for name, part in slices.items() if name not in big}
    harm = _test_harm(big, rules)
    findings = [
        Finding(f"slice {test.name} fell: {describe(test)}", against=True) for test in harm if not test.passed
    ]
    findings += _find_used_up(slices, rules)
    protected: list[TestResult] = []
    for name, margin in rules.protected_slices.items():
        if name in slices and slices[name].rows:
            test = _test_protected(name, slices[name], margin, rules)
            protected.append(test)
            findings += _judge_protected(test, slices[name], rules)
        elif name in slices or name != REFERENCE:  # without older rows there is nothing to lose on them
            findings.append(_unseen(name, slices.get(name), rules))
    return SliceTests((*harm, *protected), too_small, findings)


def _find_used_up(slices: Mapping[str, Slice], rules: GateRules) -> list[Finding]:
    """Ask for fresh rows where a slice could be judged before its rows were used up.

    Otherwise harm there would go unseen from then on. A protected slice asks by its own rule.
    """
    return [
        Finding(
            f"slice {name} has {part.rows} fresh held-out rows and {rules.min_slice_rows} is the least"
            + explain_used_up(part.used_up, rules.max_reuse),
            against=False,
            needed_rows=rules.min_slice_rows,
            used_up=True,
        )
        for name, part in slices.items()
        if part.rows < rules.min_slice_rows <= part.rows + part.used_up and name not in rules.protected_slices
    ]


def _test_harm(slices: Mapping[str, Slice], rules: GateRules) -> list[TestResult]:
    if not slices:
        return []
    parts = list(slices.values())
    tested = {id(part.comparison): part.comparison.harmed(rules.harm_margin) for part in _distinct(parts)}
    p_values = holm(np.array([tested[id(part.comparison)][part.index] for part in parts]))
    results = zip(slices.items(), p_values.tolist(), strict=True)
    return [
        TestResult(
            name=name,
            **part.scores(),
            method=f"harm by {part.comparison.worse_method}, Holm",
            p_value=p_value,
            alpha=rules.harm_alpha,
            margin=rules.harm_margin,
            passed=p_value > rules.harm_alpha,
        )
        for (name, part), p_value in results
    ]


def _distinct(parts: Sequence[Slice]) -> list[Slice]:
    return list({id(part.comparison): part for part in parts}.values())


def _test_protected(name: str, part: Slice, margin: float, rules: GateRules) -> TestResult:
    p_value = float(part.comparison.not_inferior(np.asarray(margin))[part.index])
    return TestResult(
        name=name,
        **part.scores(),
        method=f"non-inferiority by {part.comparison.worse_method}",
        p_value=p_value,
        alpha=rules.alpha,
        margin=margin,
        passed=p_value <= rules.alpha,
    )


def _judge_protected(test: TestResult, part: Slice, rules: GateRules) -> list[Finding]:
    if test.passed:
        return []
    lead = test.difference + test.margin
    text = f"slice {test.name} is not shown to be within {100 * test.margin:.1f} points: {describe(test)}"
    if lead <= 0:
        return [Finding(text, against=True)]
    variance = float(part.comparison.variance[part.index])
    # Without discordant rows the variance is 0; one row that may differ is what was not ruled out.
    rows = max(needed_rows(lead, max(variance, 1 / test.rows), rules.alpha), test.rows + 1)
    return [Finding(text, against=False, needed_rows=rows, used_up=part.used_up > 0)]


def _unseen(name: str, part: Slice | None, rules: GateRules) -> Finding:
    used_up = part.used_up if part else 0
    text = f"protected slice {name} has no fresh held-out rows" + explain_used_up(used_up, rules.max_reuse)
    return Finding(text, against=False, needed_rows=rules.min_slice_rows, used_up=used_up > 0)
