"""One picture a file: each takes records and gives a Picture, or None where there is nothing to show."""

from tasks.io.report.plots.confusion import draw_confusion
from tasks.io.report.plots.data import draw_data
from tasks.io.report.plots.drift import draw_shares, draw_windows
from tasks.io.report.plots.gate import draw_gate, draw_guardrails
from tasks.io.report.plots.history import draw_history
from tasks.io.report.plots.learning import draw_learning
from tasks.io.report.plots.metrics import draw_metrics
from tasks.io.report.plots.reliability import draw_reliability
from tasks.io.report.plots.robustness import draw_robustness
from tasks.io.report.plots.search import draw_trials
from tasks.io.report.plots.slices import draw_slices

__all__ = [
    "draw_confusion",
    "draw_data",
    "draw_gate",
    "draw_guardrails",
    "draw_history",
    "draw_learning",
    "draw_metrics",
    "draw_reliability",
    "draw_robustness",
    "draw_shares",
    "draw_slices",
    "draw_trials",
    "draw_windows",
]
