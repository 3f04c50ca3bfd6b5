"""The learning curve: training loss above, validation score below, the kept step marked."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from models.schemas.records import TrainingReport
from tasks.io.report.canvas import INK, MUTED, NEW, OLD, SURFACE, WIDTH, Picture, bare, grid
from tasks.io.report.words import seconds


def draw_learning(report: TrainingReport | None, metric: str) -> Picture | None:
    """Draw how loss and validation score went with the optimizer steps."""
    if report is None or not report.curve:
        return None
    figure = Figure(figsize=(WIDTH / 72, 300 / 72), dpi=72)
    upper = figure.add_axes((44 / WIDTH, 0.61, (WIDTH - 128) / WIDTH, 0.33))
    lower = figure.add_axes((44 / WIDTH, 0.14, (WIDTH - 128) / WIDTH, 0.37), sharex=upper)
    steps = [p.step for p in report.curve]
    _line(upper, steps, [p.train_loss for p in report.curve], OLD, "training\nloss")
    _line(lower, steps, [p.validation_score for p in report.curve], NEW, f"validation\n{metric}")
    _mark_best(upper, lower, report)
    upper.tick_params(labelbottom=False)
    lower.locator_params(axis="x", integer=True, nbins=6)
    lower.set_xlabel("optimizer step", color=MUTED, fontsize=11)
    when = "stopped early" if report.stopped == "early" else "ran to the end"
    return Picture(
        "learning",
        f"Step {report.best_step:,} was kept: validation {metric} {report.best_score:.3f}",
        f"{report.steps:,} steps, {report.epochs:g} epochs in {seconds(report.seconds)}, {when}.",
        figure,
    )


def _line(axes: Axes, steps: Sequence[int], values: Sequence[float], colour: str, name: str) -> None:
    bare(axes)
    grid(axes, "y")
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


def _mark_best(upper: Axes, lower: Axes, report: TrainingReport) -> None:
    for axes in (upper, lower):
        axes.axvline(report.best_step, color=MUTED, lw=1, ls=(0, (2, 2)))
    kept = [p.validation_score for p in report.curve if p.step == report.best_step]
    if kept:
        lower.plot([report.best_step], kept, "o", ms=9, mfc=SURFACE, mec=NEW, mew=2.4, clip_on=False)
        lower.annotate(
            f"kept {kept[0]:.3f}",
            (report.best_step, kept[0]),
            xytext=(-9, -18),
            textcoords="offset points",
            ha="right",
            color=INK,
            fontweight="bold",
        )
