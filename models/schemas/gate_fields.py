"""The fields that the gate alone reads."""

import re
from typing import Annotated

from pydantic import Field, field_validator

from models.schemas.base import Description

Margin = Annotated[float, Field(ge=0, lt=1)]

_SLICES = re.compile(r"(source|domain|label)=.+|length=(1-9|10-24|25\+)|window=reference|anchor", re.DOTALL)


class GateFields(Description):
    """What the gate alone reads: it decides a verdict and trains nothing.

    Args:
        alpha: One-sided significance level of the gate.
        typical_change: By how much retrained versions usually differ from the champion (fraction of the
            metric). A win so small and on so few rows that it may well be luck asks for more rows; the
            smaller this is, the more of them. None promotes every significant win.
        harm_margin: How much worse a slice may be before it counts as harm, and the smallest gain worth
            asking for more rows (fraction of the metric).
        harm_alpha: Level of the harm test over all slices together; above alpha because missed harm
            costs more than a challenger held back.
        min_slice_rows: Smaller slices are listed, not judged.
        protected_slices: Slices (`source=...`, `domain=...`, `label=...`, `length=1-9`, `length=10-24`,
            `length=25+`, `window=reference`, `anchor`) where non-inferiority within the given margin
            (fraction of the metric, below 1) must be shown.
        max_reuse: Decisions a held-out row may serve before it counts as used up.
        anchor_version: A version that every challenger is compared with as well.
        max_latency_ms: Limit on the median latency at batch 1 (milliseconds).
        max_calibration_error: Limit on the expected calibration error (fraction, 0-1).
        max_size_mb: Limit on the stored weights (megabytes).
    """

    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    typical_change: float | None = Field(default=0.01, gt=0, le=1)
    harm_margin: float = Field(default=0.005, ge=0, lt=1)
    harm_alpha: float = Field(default=0.2, gt=0, lt=0.5)
    min_slice_rows: int = Field(default=50, ge=1)
    protected_slices: dict[str, Margin] = Field(default_factory=dict)
    max_reuse: int = Field(default=20, ge=1)
    anchor_version: int | None = Field(default=None, ge=1)
    max_latency_ms: float | None = Field(default=None, gt=0)
    max_calibration_error: float | None = Field(default=None, gt=0, le=1)
    max_size_mb: float | None = Field(default=None, gt=0)

    @field_validator("protected_slices")
    @classmethod
    def _slices_are_known(cls, slices: dict[str, float]) -> dict[str, float]:
        unknown = [name for name in slices if not _SLICES.fullmatch(name)]
        if unknown:
            raise ValueError(
                f"{unknown[0]!r} is no slice; write source=..., domain=..., label=..., length=1-9, "
                "length=10-24, length=25+, window=reference or anchor"
            )
        return slices
