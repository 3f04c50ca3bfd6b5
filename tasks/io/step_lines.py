"""What the steps of a run noted, read back round by round."""

import json
from pathlib import Path

from tasks.io.report.story import Step

_FIRST = "reconcile"


def steps_of_rounds(log: Path, agent: str) -> list[tuple[Step, ...]]:
    """Give an agent's steps; every round begins with `reconcile`.

    Args:
        log: The run's file: one JSON object a line with agent, step, seconds and reason.
        agent: The agent's name.
    """
    rounds: list[list[Step]] = []
    for line in log.read_text().splitlines() if log.exists() else []:
        noted = json.loads(line)
        if noted["agent"] != agent:
            continue
        if noted["step"] == _FIRST or not rounds:
            rounds.append([])
        rounds[-1].append(_step(noted))
    return [tuple(steps) for steps in rounds]


def _step(noted: dict[str, str | float]) -> Step:
    kind, _, reason = str(noted["reason"]).partition(": ")
    cache = kind if kind in {"hit", "miss"} else "none"
    return Step.model_validate(
        {"name": noted["step"], "seconds": noted["seconds"], "cache": cache, "reason": reason}
    )
