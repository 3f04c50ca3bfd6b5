"""The reliability plot: how often right against how sure, with how many predictions stand behind."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from models.schemas.records import EvaluationReport, ReliabilityBin
from tasks.io.report.canvas import BASE, INK, LINE, MUTED, NEW, SURFACE, WIDTH, Picture, bare, grid


def draw_reliability(report: EvaluationReport | None) -> Picture | None:
    """Draw accuracy per bin of confidence over the diagonal, and a histogram of confidence."""
    bins = [b for b in report.reliability if b.rows] if report else []
    if report is None or not bins:
        return None
    figure = Figure(figsize=(WIDTH / 72, 360 / 72), dpi=72)
    upper = figure.add_axes((52 / WIDTH, 0.345, (WIDTH - 74) / WIDTH, 0.615))
    lower = figure.add_axes((52 / WIDTH, 0.125, (WIDTH - 74) / WIDTH, 0.17), sharex=upper)
    start = max(min(min(b.confidence, b.accuracy) for b in bins) - 0.06, 0.0)
    start = int(start * 10) / 10
    _curve(upper, bins, start)
    _histogram(lower, bins, start)
    sure = sum(b.confidence * b.rows for b in bins) / sum(b.rows for b in bins)
    right = sum(b.accuracy * b.rows for b in bins) / sum(b.rows for b in bins)
    return Picture(
        "reliability",
        _claim(sure - right, report.calibration_error),
        f"On average {sure:.0%} sure and {right:.0%} right; expected calibration error "
        f"{report.calibration_error:.3f}. On the diagonal, confidence can be taken at its word.",
        figure,
    )


def _curve(axes: Axes, bins: list[ReliabilityBin], start: float) -> None:
    bare(axes)
    grid(axes, "y")
    axes.set(xlim=(start - 0.01, 1.01), ylim=(start - 0.01, 1.03))
    axes.plot([start, 1], [start, 1], color=BASE, lw=1.4, ls=(0, (4, 3)))
    for b in bins:
        axes.plot(
            [b.confidence] * 2, [b.confidence, b.accuracy], color=NEW, lw=6, alpha=0.22, solid_capstyle="butt"
        )
    axes.plot([b.confidence for b in bins], [b.accuracy for b in bins], color=NEW, lw=2)
    most = max(b.rows for b in bins)
    for b in bins:
        size = 5 + 7 * (b.rows / most) ** 0.5
        axes.plot([b.confidence], [b.accuracy], "o", ms=size, mfc=NEW, mec=SURFACE, mew=1.2, clip_on=False)
    axes.tick_params(labelbottom=False)
    axes.yaxis.set_major_formatter(lambda v, _: f"{v:.0%}")
    axes.locator_params(axis="y", nbins=5)
    middle = start + (1 - start) * 0.02
    axes.text(middle, 0.985, "how often right", color=INK, size=12, weight="bold", va="top")
    axes.text(middle, 0.985 - (1 - start) * 0.08, "under the line: too sure", color=MUTED, size=11, va="top")


def _histogram(axes: Axes, bins: list[ReliabilityBin], start: float) -> None:
    bare(axes)
    width = min(0.8 / max(len(bins), 1), 0.085) * (1 - start) if len(bins) > 1 else 0.05
    axes.bar([b.confidence for b in bins], [b.rows for b in bins], width=width, color=NEW, alpha=0.55)
    axes.axhline(0, color=LINE, lw=1)
    axes.xaxis.set_major_formatter(lambda v, _: f"{v:.0%}")
    axes.set_yticks([])
    top = max(bins, key=lambda b: b.rows)
    axes.set_ylim(0, top.rows * 1.32)
    axes.text(top.confidence, top.rows * 1.05, f"{top.rows:,}", ha="center", color=MUTED, size=11)
    axes.set_xlabel("how sure (rows per bin above)", color=MUTED, fontsize=11)


def _claim(over: float, error: float) -> str:
    if error <= 0.03:
        return "Its confidence can be trusted"
    if abs(over) < 0.01:
        return "Its confidence is off, in both directions"
    return f"It is {abs(over) * 100:.0f} points too {'sure' if over > 0 else 'modest'} on average"
