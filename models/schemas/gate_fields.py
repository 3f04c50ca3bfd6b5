"""The fields that the gate alone reads."""

import re
from typing import Annotated, ClassVar

from pydantic import Field, field_validator

from models.schemas.base import Description

Margin = Annotated[float, Field(ge=0, lt=1)]

_SLICES = re.compile(r"(source|domain|label)=.+|length=(1-9|10-24|25\+)|window=reference|anchor", re.DOTALL)
_GROUPS = re.compile(r"(source|domain|label)(=.+)?|length(=(1-9|10-24|25\+))?", re.DOTALL)


class Unlimited(Description):
    """Has none of the limits on what only an agent's evaluation measures."""

    max_latency_ms: ClassVar[None] = None
    max_calibration_error: ClassVar[None] = None
    max_robustness_drop: ClassVar[None] = None
    max_group_gap: ClassVar[None] = None
    groups: ClassVar[tuple[str, ...]] = ()


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
        max_robustness_drop: Limit on the fraction of the metric that any of `robustness` may cost (0-1).
        max_group_gap: Limit on the metric's difference between the best and the worst of the groups of a
            kind that have `min_slice_rows` rows (fraction, 0-1).
        groups: Slices whose scores are compared, such as `domain=films`, `source=...`, `label=...`,
            `length=25+`; a kind alone, such as `domain`, stands for all of its slices.
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
    max_robustness_drop: float | None = Field(default=None, gt=0, le=1)
    max_group_gap: float | None = Field(default=None, gt=0, le=1)
    groups: tuple[str, ...] = ()

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

    @field_validator("groups")
    @classmethod
    def _groups_are_known(cls, groups: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [name for name in groups if not _GROUPS.fullmatch(name)]
        if unknown:
            raise ValueError(
                f"{unknown[0]!r} is no group; write source=..., domain=..., label=..., length=1-9, "
                "length=10-24 or length=25+, or source, domain, label or length alone"
            )
        kinds = [name.partition("=")[0] for name in groups]
        lonely = [
            name for name, kind in zip(groups, kinds, strict=True) if kinds.count(kind) < 2 and "=" in name
        ]
        if lonely:
            raise ValueError(f"{lonely[0]!r} has no other group of its kind to be compared with; add one")
        return groups
