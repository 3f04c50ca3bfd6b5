"""Scores with intervals: this version, the champion, before fine-tuning, and the baselines."""

from models.schemas.records import EvaluationReport
from tasks.io.report.canvas import BASE, NEW, OLD, Picture
from tasks.io.report.plots.rows import Row, dot_plot, heading, positions
from tasks.io.report.story import Round
from tasks.io.report.words import metric_name, primary


def draw_metrics(turn: Round) -> Picture | None:
    """Draw the primary metric against everything it is compared with, then the other metrics."""
    score = primary(turn.evaluation)
    if turn.evaluation is None or score is None:
        return None
    rows = [*_compared(turn, turn.evaluation), *_others(turn.evaluation)]
    figure, axes = dot_plot(rows)
    name = metric_name(turn.evaluation.primary)
    for row, y in zip(rows, positions([r.gap for r in rows]), strict=True):
        if row.gap:
            heading(axes, y - 1, "other metrics")
    return Picture(
        "metrics",
        _claim(turn.evaluation, name),
        f"{name[:1].upper()}{name[1:]} on {score.rows:,} held-out rows; whiskers are 95 % intervals.",
        figure,
    )


def _compared(turn: Round, report: EvaluationReport) -> list[Row]:
    champion = turn.champion_evaluation
    rows = [Row(f"version {turn.version or '(new)'}", report.metrics[report.primary], NEW, strong=True)]
    old = primary(champion)
    if old:
        number = turn.decision.previous if turn.decision else None
        rows.append(Row(f"version {number} (before)" if number else "champion", old, OLD, strong=True))
    if report.before:
        rows.append(Row("before fine-tuning", report.before, BASE, hollow=True))
    return rows + [Row(metric_name(n), m, BASE) for n, m in report.baselines.items()]


def _others(report: EvaluationReport) -> list[Row]:
    # Perplexity has no upper end and would need a scale of its own; the table tells it.
    names = [n for n in report.metrics if n not in (report.primary, "perplexity")]
    return [
        Row(metric_name(n), report.metrics[n], NEW, gap=1.0 if i == 0 else 0.0) for i, n in enumerate(names)
    ]


def _claim(report: EvaluationReport, name: str) -> str:
    score = report.metrics[report.primary]
    if not report.baselines:
        return f"{name[:1].upper()}{name[1:]} {score.value:.3f} on held-out rows"
    best = max(report.baselines, key=lambda n: report.baselines[n].value)
    gap = (score.value - report.baselines[best].value) * 100
    side = "above" if gap >= 0 else "below"
    return (
        f"{name[:1].upper()}{name[1:]} {score.value:.3f}, "
        f"{abs(gap):.1f} points {side} {metric_name(best)}, the best baseline"
    )
