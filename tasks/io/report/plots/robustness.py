"""The primary metric as rows are, and as each perturbation leaves it."""

from models.schemas.records import EvaluationReport
from tasks.io.report.canvas import INK, NEW, Picture
from tasks.io.report.plots.rows import Row, dot_plot
from tasks.io.report.words import metric_name, primary, sentence


def draw_robustness(report: EvaluationReport | None) -> Picture | None:
    """Draw one dot a perturbation under the clean one, whose score goes down as a line."""
    clean = primary(report)
    if report is None or clean is None or not report.robustness:
        return None
    rows = [Row("as they are", clean, INK, strong=True)]
    rows += [Row(metric_name(one.perturbation), one.perturbed, NEW) for one in report.robustness]
    figure, axes = dot_plot(rows)
    axes.axvline(clean.value, color=INK, lw=1.2, ls=(0, (3, 2)), zorder=1)
    worst = max(report.robustness, key=lambda one: one.lost.value)
    return Picture(
        "robustness",
        f"{metric_name(worst.perturbation).capitalize()} cost {100 * worst.lost.value:.1f} % of the score",
        sentence(
            f"{metric_name(report.primary)} on held-out rows that were changed; whiskers are 95 % intervals"
        ),
        figure,
    )
