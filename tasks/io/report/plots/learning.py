"""The learning curve: training loss above, validation score below, the kept step marked."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from models.schemas.records import CurvePoint, TrainingReport
from tasks.io.report.canvas import INK, MUTED, NEW, OLD, SURFACE, WIDTH, Picture, bare, grid
from tasks.io.report.words import seconds


def draw_learning(report: TrainingReport | None, metric: str) -> Picture | None:
    """Draw how loss and validation score went with the optimizer steps."""
    if report is None or not report.curve:
        return None
    when = "stopped early" if report.stopped == "early" else "ran to the end"
    return Picture(
        "learning",
        f"Step {report.best_step:,} was kept: validation {metric} {report.best_score:.3f}",
        f"{report.steps:,} steps, {report.epochs:g} epochs in {seconds(report.seconds)}, {when}.",
        curve_figure(report.curve, report.best_step, f"validation\n{metric}", "optimizer step"),
    )


def curve_figure(curve: Sequence[CurvePoint], best_step: int, score: str, unit: str) -> Figure:
    """Draw loss above score.

    Args:
        curve: At least one point.
        best_step: The step that was kept.
        score: What the lower line is called.
        unit: What the steps are called.
    """
    figure = Figure(figsize=(WIDTH / 72, 300 / 72), dpi=72)
    upper = figure.add_axes((44 / WIDTH, 0.61, (WIDTH - 128) / WIDTH, 0.33))
    lower = figure.add_axes((44 / WIDTH, 0.14, (WIDTH - 128) / WIDTH, 0.37), sharex=upper)
    trained = [p for p in curve if p.step]  # a score before the first step has no loss beside it
    _line(upper, [p.step for p in trained], [p.train_loss for p in trained], OLD, "training\nloss")
    _line(lower, [p.step for p in curve], [p.validation_score for p in curve], NEW, score)
    _mark_best(upper, lower, curve, best_step)
    upper.tick_params(labelbottom=False)
    lower.locator_params(axis="x", integer=True, nbins=6)
    lower.set_xlabel(unit, color=MUTED, fontsize=11)
    return figure


def _line(axes: Axes, steps: Sequence[int], values: Sequence[float], colour: str, name: str) -> None:
    bare(axes)
    grid(axes, "y")
    if not steps:
        return
    axes.plot(steps, values, color=colour, lw=2, marker="o", ms=4, mec=SURFACE, mew=0.8, clip_on=False)
    axes.margins(x=0.02, y=0.15)
    axes.locator_params(axis="y", nbins=4)
    axes.annotate(
        name,
        (steps[-1], values[-1]),
        xytext=(12, 0),
        textcoords="offset points",
        va="center",
        color=colour,
        fontsize=12,
        fontweight="bold",
        annotation_clip=False,
    )


def _mark_best(upper: Axes, lower: Axes, curve: Sequence[CurvePoint], best_step: int) -> None:
    for axes in (upper, lower):
        axes.axvline(best_step, color=MUTED, lw=1, ls=(0, (2, 2)))
    kept = [p.validation_score for p in curve if p.step == best_step]
    if kept:
        lower.plot([best_step], kept, "o", ms=9, mfc=SURFACE, mec=NEW, mew=2.4, clip_on=False)
        lower.annotate(
            f"kept {kept[0]:.3f}",
            (best_step, kept[0]),
            xytext=(-9, -18),
            textcoords="offset points",
            ha="right",
            color=INK,
            fontweight="bold",
        )
