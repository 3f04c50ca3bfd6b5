"""Limits that hold whatever the comparison says: latency, calibration, size."""

from models.errors import DataError
from models.gating.evidence import Measured
from models.gating.finding import Finding
from models.gating.rules import GateRules
from models.schemas import Guardrail


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
    if missing:
        raise DataError(
            f"max_{missing[0]} is set but {missing[0]} was not measured; evaluate the challenger."
        )
    return tuple(
        Guardrail(name=name, value=value, limit=limit, passed=limit is None or value <= limit)
        for name, (value, limit) in pairs.items()
        if value is not None
    )


def broken_guardrails(guardrails: tuple[Guardrail, ...]) -> list[Finding]:
    """Turn each broken limit into a finding against the challenger."""
    return [
        Finding(f"{rail.name} is {rail.value:.3g} and the limit is {rail.limit:.3g}", against=True)
        for rail in guardrails
        if not rail.passed
    ]
