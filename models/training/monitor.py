"""What a training lets others see while it runs: heartbeats and evaluations, as files."""

import time
from pathlib import Path

from models.schemas import CurvePoint
from models.training.files import write_whole
from models.training.job import HEARTBEAT, PROGRESS, Heartbeat

_SECONDS_BETWEEN = 1.0


class Monitor:
    """Write `heartbeat.json` about every second and one line of `progress.jsonl` an evaluation.

    Args:
        out: The job's folder.
    """

    def __init__(self, out: Path) -> None:
        self._out = out
        self._next = 0.0

    @property
    def due(self) -> bool:
        """Tell whether the last heartbeat is old enough for the next."""
        return time.monotonic() >= self._next

    def beat(self, heartbeat: Heartbeat) -> None:
        """Show how far the training is."""
        write_whole(self._out / HEARTBEAT, heartbeat.model_dump_json(), durable=False)
        self._next = time.monotonic() + _SECONDS_BETWEEN

    def show_curve(self, curve: list[CurvePoint]) -> None:
        """Show the evaluations so far; a resumed training shows those of its checkpoint again."""
        lines = "".join(point.model_dump_json() + "\n" for point in curve)
        write_whole(self._out / PROGRESS, lines, durable=False)
