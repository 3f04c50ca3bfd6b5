"""What the gate looks at: outcomes of several versions on the same held-out rows, and measurements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from models.adapters.base import Outcomes
from models.comparison import MetricKind
from models.errors import DataError
from models.schemas import SliceScore

REFERENCE = "window=reference"
"""The slice of all held-out rows outside of the current window."""


@dataclass(frozen=True)
class Measured:
    """What the guardrails limit; None is not measured.

    Args:
        latency_ms: Median latency at batch 1 (milliseconds).
        calibration_error: Expected calibration error (fraction, 0-1).
        size_mb: Stored weights (megabytes).
        robustness: Fraction of the metric that each perturbation costs.
        slices: The metric on each slice, among them the groups that are compared.
    """

    latency_ms: float | None = None
    calibration_error: float | None = None
    size_mb: float | None = None
    robustness: Mapping[str, float] = field(default_factory=dict)
    slices: Sequence[SliceScore] = ()


@dataclass(frozen=True)
class GateEvidence:
    """Outcomes on the same held-out rows in the same order, none of them trained on.

    Args:
        challenger: Outcomes of the version that wants to be champion.
        champion: Outcomes of the champion; None if there is none.
        current: (rows,) bool, the rows of the current window.
        anchor: Outcomes of the pinned version; None if no version is pinned.
        baselines: Outcomes of each baseline; a first version has to beat them.
        slices: (rows,) bool for each slice, named `kind=value`; `window=reference` among them.
        uses: (rows,) decisions that each row has already served; None is none.
        measured: What the guardrails limit.
        metric: `accuracy` compares `exact`, `f1` compares `counts`.

    Raises:
        DataError: Some outcomes or masks are of another length than the challenger's.
    """

    challenger: Outcomes
    champion: Outcomes | None
    current: np.ndarray
    anchor: Outcomes | None = None
    baselines: Mapping[str, Outcomes] = field(default_factory=dict)
    slices: Mapping[str, np.ndarray] = field(default_factory=dict)
    uses: np.ndarray | None = None
    measured: Measured = field(default_factory=Measured)
    metric: MetricKind = "accuracy"

    def __post_init__(self) -> None:
        lengths = {"challenger": self.rows, "current": len(self.current)}
        if self.uses is not None:
            lengths["uses"] = len(self.uses)
        lengths |= {name: len(mask) for name, mask in self.slices.items()}
        others = {"champion": self.champion, "anchor": self.anchor, **self.baselines}
        lengths |= {name: len(o.exact) for name, o in others.items() if o is not None}
        wrong = [name for name, length in lengths.items() if length != self.rows]
        if wrong:
            raise DataError(
                f"{wrong[0]} has {lengths[wrong[0]]} rows and the challenger {self.rows}; compare them on "
                "the same rows in the same order."
            )

    @property
    def rows(self) -> int:
        """Count all held-out rows."""
        return len(self.challenger.exact)

    def fresh(self, max_reuse: int) -> np.ndarray:
        """Tell which rows have served fewer than `max_reuse` decisions, (rows,) bool."""
        if self.uses is None:
            return np.ones(self.rows, dtype=bool)
        fresh: np.ndarray = self.uses < max_reuse
        return fresh
