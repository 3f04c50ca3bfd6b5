"""A start beside what has learned nothing: scores with intervals, and how they spread over episodes."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from models.schemas import Metric
from tasks.io.report.canvas import BASE, MUTED, NEW, WIDTH, Picture, bare, grid
from tasks.io.report.plots.rows import Row, dot_plot

_BINS = np.linspace(0.0, 1.0, 21)


def draw_start_scores(score: Metric, baselines: Mapping[str, Metric]) -> Picture:
    """Draw the start's score and the baselines' with their intervals."""
    rows = [Row("this start", score, NEW, strong=True)]
    figure, _ = dot_plot([*rows, *(Row(name, metric, BASE) for name, metric in baselines.items())])
    gap = 100 * (score.value - max((m.value for m in baselines.values()), default=score.value))
    side = "above" if gap >= 0 else "below"
    return Picture(
        "start-scores",
        f"Score {score.value:.3f}, {abs(gap):.1f} points {side} what has learned nothing",
        f"Over {score.rows:,} rows that meta-training never saw; whiskers are 95 % intervals over rows.",
        figure,
    )


def draw_episodes(start: np.ndarray, plain: np.ndarray) -> Picture:
    """Draw how many episodes have which score.

    Args:
        start: (episodes,) scores of the start (fractions, 0-1).
        plain: (episodes,) scores of the pretrained encoder on the same episodes.
    """
    figure = Figure(figsize=(WIDTH / 72, 240 / 72), dpi=72)
    axes = figure.add_axes((44 / WIDTH, 0.17, (WIDTH - 60) / WIDTH, 0.74))
    bare(axes)
    grid(axes, "y")
    _steps(axes, plain, BASE, "plain encoder", 2)
    _steps(axes, start, NEW, "this start", 1)
    axes.set_xlim(0, 1)
    axes.locator_params(axis="y", nbins=4, integer=True)
    axes.set_xlabel("score of an episode", color=MUTED, fontsize=11)
    better, worse = int((start > plain).sum()), int((start < plain).sum())
    return Picture(
        "episodes",
        f"Better on {better:,} episodes, worse on {worse:,}, of {len(start):,}",
        "Episodes by score; meta-training never saw their rows.",
        figure,
    )


def _steps(axes: Axes, scores: np.ndarray, colour: str, name: str, line: int) -> None:
    counts, edges = np.histogram(scores, _BINS)
    axes.stairs(counts, edges, color=colour, linewidth=2, fill=False)
    axes.text(
        0.02, 1.02 - 0.1 * line, name, color=colour, transform=axes.transAxes, fontsize=12, fontweight="bold"
    )
