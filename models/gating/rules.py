"""GateRules: what the gate reads of a description, an agent's or a start's."""

from collections.abc import Mapping, Sequence
from typing import Protocol


class GateRules(Protocol):
    """The rules of a verdict; their meanings stand in `AgentConfig`."""

    @property
    def alpha(self) -> float:
        """One-sided level of the superiority test."""

    @property
    def typical_change(self) -> float | None:
        """By how much versions usually differ (fraction of the metric)."""

    @property
    def harm_margin(self) -> float:
        """How much worse a slice may be (fraction of the metric)."""

    @property
    def harm_alpha(self) -> float:
        """Level of the harm test over all slices together."""

    @property
    def min_slice_rows(self) -> int:
        """Smaller slices are listed, not judged."""

    @property
    def protected_slices(self) -> Mapping[str, float]:
        """Slices that must be shown not to be worse than their margin."""

    @property
    def max_reuse(self) -> int:
        """Decisions a row may serve."""

    @property
    def max_latency_ms(self) -> float | None:
        """Limit on latency at batch 1 (milliseconds)."""

    @property
    def max_calibration_error(self) -> float | None:
        """Limit on calibration error (fraction, 0-1)."""

    @property
    def max_size_mb(self) -> float | None:
        """Limit on the stored weights (megabytes)."""

    @property
    def max_robustness_drop(self) -> float | None:
        """Limit on what a perturbation costs (fraction of the metric)."""

    @property
    def max_group_gap(self) -> float | None:
        """Limit on the difference between groups (fraction, 0-1)."""

    @property
    def groups(self) -> Sequence[str]:
        """Slices, or kinds of slices, that are compared with each other."""

    @property
    def seed(self) -> int:
        """Seed of randomization tests."""
