"""Limits that hold whatever the comparison says: latency, calibration, size, robustness, groups' gaps."""

from itertools import groupby

from models.errors import DataError
from models.gating.evidence import Measured
from models.gating.finding import Finding
from models.gating.rules import GateRules
from models.schemas import Guardrail, SliceScore


def judge_guardrails(measured: Measured, rules: GateRules) -> tuple[tuple[Guardrail, ...], list[Finding]]:
    """Hold what was measured against every limit, and find what speaks against the challenger.

    Raises:
        DataError: A limit is set for something that was not measured.
    """
    rails = (*check_guardrails(measured, rules), *_group_gaps(measured, rules))
    return rails, [*broken_guardrails(rails), *_too_small_groups(measured, rules)]


def check_guardrails(measured: Measured, rules: GateRules) -> tuple[Guardrail, ...]:
    """Hold each measurement against its limit; one without a limit is only listed.

    Raises:
        DataError: A limit is set for something that was not measured.
    """
    pairs = {
        "latency_ms": (measured.latency_ms, rules.max_latency_ms),
        "calibration_error": (measured.calibration_error, rules.max_calibration_error),
        "size_mb": (measured.size_mb, rules.max_size_mb),
    }
    missing = [name for name, (value, limit) in pairs.items() if value is None and limit is not None]
    if rules.max_robustness_drop is not None and not measured.robustness:
        missing.append("robustness_drop")
    if missing:
        raise DataError(
            f"max_{missing[0]} is set but {missing[0]} was not measured; evaluate the challenger."
        )
    pairs |= {
        f"robustness_drop under {name}": (value, rules.max_robustness_drop)
        for name, value in measured.robustness.items()
    }
    return tuple(_rail(name, value, limit) for name, (value, limit) in pairs.items() if value is not None)


def broken_guardrails(guardrails: tuple[Guardrail, ...]) -> list[Finding]:
    """Turn each broken limit into a finding against the challenger."""
    return [
        Finding(f"{rail.name} is {rail.value:.3g} and the limit is {rail.limit:.3g}", against=True)
        for rail in guardrails
        if not rail.passed
    ]


def _rail(name: str, value: float, limit: float | None) -> Guardrail:
    return Guardrail(name=name, value=value, limit=limit, passed=limit is None or value <= limit)


def _group_gaps(measured: Measured, rules: GateRules) -> list[Guardrail]:
    """Give the difference between the best and the worst group of each kind that has two large enough."""
    gaps = []
    for groups in _kinds(measured, rules).values():
        large = [one for one in groups if one.metric.rows >= rules.min_slice_rows]
        if len(large) > 1:
            worst, *_, best = sorted(large, key=lambda one: one.metric.value)
            name = f"group_gap between {best.name} and {worst.name}"
            gaps.append(_rail(name, best.metric.value - worst.metric.value, rules.max_group_gap))
    return gaps


def _too_small_groups(measured: Measured, rules: GateRules) -> list[Finding]:
    """Ask for rows where a kind has no two groups large enough to be compared."""
    kinds = _kinds(measured, rules)
    found = []
    for kind in dict.fromkeys(name.partition("=")[0] for name in rules.groups):
        sizes = sorted((one.metric.rows for one in kinds.get(kind, [])), reverse=True)
        if len(sizes) < 2 or sizes[1] < rules.min_slice_rows:
            text = f"groups of {kind} can not be compared: two need {rules.min_slice_rows} held-out rows each"
            found.append(Finding(text, against=False, needed_rows=2 * rules.min_slice_rows))
    return found


def _kinds(measured: Measured, rules: GateRules) -> dict[str, list[SliceScore]]:
    """Give the slices that the rules name, by their kind."""
    asked = set(rules.groups)
    named = [one for one in measured.slices if {one.name, one.name.partition("=")[0]} & asked]
    named.sort(key=lambda one: one.name)
    return {kind: list(ones) for kind, ones in groupby(named, lambda one: one.name.partition("=")[0])}
