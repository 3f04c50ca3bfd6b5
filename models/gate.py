"""The gate: one pure function from evidence to a verdict; nothing is read, moved or remembered here.

The rules, in the order in which a person would ask:

1. Are there rows? Rows that served `max_reuse` decisions are left out of everything. With fewer than
   `min_slice_rows` left in the current window there is no comparison.
2. Is the challenger better on the current window? A one-sided paired test at `alpha`; a tie is no win.
   A first version has to win against every baseline. A gain that passes the test but would too often be
   luck (`typical_change`, see `statistics.chance_worse`) asks for more rows.
3. Is it harmful anywhere? No slice of `min_slice_rows` rows, the reference window and the anchor among
   them, may be significantly worse than `harm_margin` (Holm over slices, level `harm_alpha`). Where
   `protected_slices` names a slice, it must be shown that it is not worse than its margin. A slice that
   lost so many rows to rule 1 that it can't be judged any more asks for fresh ones.
4. Do the guardrails hold? Latency, calibration, size, what perturbations cost, gaps between groups. Groups
   too small to be compared ask for rows.

`keep` is said where something speaks against the challenger, or where nothing worth more rows
(`harm_margin`) speaks for it. `not_enough_data` is said where nothing speaks against it and something that
must be shown is not, though the rows lean that way; `needed_rows` then has the power of 0.8.
It becomes `not_enough_fresh_data` where rows were left out because they are used up.
"""

from collections.abc import Sequence
from typing import TypedDict

import numpy as np

from models.adapters.base import Outcomes
from models.comparison import Comparison, compare
from models.errors import DataError
from models.gating.evidence import GateEvidence, Measured
from models.gating.finding import Finding, describe, explain_used_up, join_findings
from models.gating.guardrails import judge_guardrails
from models.gating.harm import Slice, judge_slices
from models.gating.rules import GateRules
from models.gating.superiority import check_luck, compare_scores, judge_luck, judge_win
from models.schemas import GateReport
from models.schemas.records import Verdict

__all__ = ["GateEvidence", "Measured", "judge"]


def judge(evidence: GateEvidence, rules: GateRules) -> GateReport:
    """Decide whether the challenger may become champion.

    Args:
        evidence: Outcomes on held-out rows that neither version was trained on, and measurements.
        rules: The agent's description, or the start's.

    Returns:
        The verdict with all that it rests on; the same evidence gives the same report.

    Raises:
        DataError: A first version comes without baselines, or a limit is set for what was not measured.
    """
    fresh = evidence.fresh(rules.max_reuse)
    if int((evidence.current & fresh).sum()) < rules.min_slice_rows:
        return _too_few(evidence, fresh, rules)
    if evidence.champion is None:
        return _judge_first(evidence, fresh, rules)
    return _judge_challenger(evidence, fresh, rules)


def _judge_challenger(evidence: GateEvidence, fresh: np.ndarray, rules: GateRules) -> GateReport:
    """Compare with the champion on the current window and on every slice, and with the anchor."""
    comparison = _compare(evidence, evidence.champion, [evidence.current, *evidence.slices.values()], rules)
    test = compare_scores("champion", comparison, rules.alpha)
    variance = float(comparison.variance[0])
    used_up = bool((evidence.current & ~fresh).any())
    luck = check_luck(test, variance, rules)
    slices = judge_slices(_slices(evidence, comparison, rules), rules)
    measured, limits = judge_guardrails(evidence.measured, rules)
    findings = [
        *judge_win(test, variance, rules, used_up),
        *judge_luck(luck, test, variance, rules, used_up),
        *slices.findings,
        *limits,
    ]
    won = f"it is better than the champion: {describe(test)}, and no slice of {len(slices.tests)} is harmed"
    return GateReport(
        **_conclude(findings, won),
        superiority=test,
        slices=slices.tests,
        too_small=slices.too_small,
        guardrails=(*measured, luck) if luck else measured,
        rows=test.rows,
        used_up=int((~fresh).sum()),
    )


def _judge_first(evidence: GateEvidence, fresh: np.ndarray, rules: GateRules) -> GateReport:
    """Compare a first version with every baseline; it has to win against each, so no level is split.

    Berger, "Multiparameter hypothesis testing and acceptance sampling", Technometrics 24, 1982.
    """
    if not evidence.baselines:
        raise DataError("A first version has to beat the baselines and none is given; evaluate them first.")
    comparisons = {
        name: _compare(evidence, other, [evidence.current], rules)
        for name, other in evidence.baselines.items()
    }
    tests = {name: compare_scores(name, c, rules.alpha) for name, c in comparisons.items()}
    used_up = bool((evidence.current & ~fresh).any())
    measured, limits = judge_guardrails(evidence.measured, rules)
    findings = [
        finding
        for name, test in tests.items()
        for finding in judge_win(test, float(comparisons[name].variance[0]), rules, used_up)
    ]
    hardest = max(tests.values(), key=lambda test: test.p_value)
    won = f"it is the first version and beats every baseline, {hardest.name} least: {describe(hardest)}"
    return GateReport(
        **_conclude([*findings, *limits], won),
        baselines=tuple(tests.values()),
        guardrails=measured,
        rows=hardest.rows,
        used_up=int((~fresh).sum()),
    )


def _too_few(evidence: GateEvidence, fresh: np.ndarray, rules: GateRules) -> GateReport:
    """Refuse to compare on a handful of rows."""
    rows = int((evidence.current & fresh).sum())
    lost = int((evidence.current & ~fresh).sum())
    text = f"the current window has {rows} held-out rows and {rules.min_slice_rows} is the least"
    text += explain_used_up(lost, rules.max_reuse)
    finding = Finding(text, against=False, needed_rows=rules.min_slice_rows, used_up=lost > 0)
    measured, limits = judge_guardrails(evidence.measured, rules)
    return GateReport(
        **_conclude([finding, *limits], ""),
        guardrails=measured,
        rows=rows,
        used_up=int((~fresh).sum()),
    )


class _Conclusion(TypedDict):
    verdict: Verdict
    reason: str
    needed_rows: int | None


_LEADS: dict[Verdict, str] = {
    "promote": "The challenger is promoted: ",
    "keep": "The challenger is not promoted: ",
    "not_enough_data": "Not enough data: ",
    "not_enough_fresh_data": "Not enough fresh data: ",
}


def _conclude(findings: list[Finding], won: str) -> _Conclusion:
    """Weigh the findings: one against keeps the champion, an undecided one asks for rows, none promotes."""
    against = [finding for finding in findings if finding.against]
    verdict: Verdict = "promote"
    if against:
        verdict = "keep"
    elif findings:
        verdict = "not_enough_fresh_data" if any(f.used_up for f in findings) else "not_enough_data"
    needed = None if against else max((f.needed_rows or 0 for f in findings), default=None)
    reason = _LEADS[verdict] + (join_findings(against or findings) if findings else won) + "."
    if needed:
        reason += f" About {needed:,} rows would do."
    return {"verdict": verdict, "reason": reason, "needed_rows": needed}


def _compare(
    evidence: GateEvidence, other: Outcomes | None, masks: Sequence[np.ndarray], rules: GateRules
) -> Comparison:
    """Compare the challenger with another version on the fresh rows of each mask."""
    if other is None:
        raise DataError("There is no version to compare with.")
    stacked = np.stack(masks)
    if evidence.uses is not None:
        stacked &= evidence.fresh(rules.max_reuse)
    return compare(evidence.challenger, other, stacked, evidence.metric, rules.seed)


def _slices(evidence: GateEvidence, comparison: Comparison, rules: GateRules) -> dict[str, Slice]:
    """Name the slices of the comparison, and add the anchor, compared on all fresh rows."""
    stale = ~evidence.fresh(rules.max_reuse)
    slices = {
        name: Slice(comparison, index, int((mask & stale).sum()))
        for index, (name, mask) in enumerate(evidence.slices.items(), start=1)
    }
    if evidence.anchor is not None:
        everything = _compare(evidence, evidence.anchor, [np.ones(evidence.rows, dtype=bool)], rules)
        slices["anchor"] = Slice(everything, 0, int(stale.sum()))
    return slices
