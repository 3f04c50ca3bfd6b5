"""The primary metric on every slice, against the whole."""

from models.schemas.records import EvaluationReport, SliceScore
from tasks.io.report.canvas import INK, MUTED, NEW, Picture
from tasks.io.report.plots.rows import Row, dot_plot, heading, positions
from tasks.io.report.words import metric_name, primary, sentence, shorten

MOST = 24


def draw_slices(report: EvaluationReport | None) -> Picture | None:
    """Draw one dot a slice, grouped by kind, the overall score as a line."""
    if report is None or not report.slices:
        return None
    overall = primary(report)
    groups = _grouped(_worth_showing(report.slices))
    rows = [
        Row(f"{_value(s)} ({s.metric.rows:,})", s.metric, NEW, gap=1.0 if i == 0 else 0.0)
        for slices in groups.values()
        for i, s in enumerate(slices)
    ]
    figure, axes = dot_plot(rows)
    starts = [y for row, y in zip(rows, positions([r.gap for r in rows]), strict=True) if row.gap]
    for kind, y in zip(groups, starts, strict=True):
        heading(axes, y - 1, f"by {kind}")
    if overall:
        axes.axvline(overall.value, color=INK, lw=1.2, ls=(0, (3, 2)), zorder=1)
        axes.annotate(
            "overall",
            (overall.value, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, -4),
            textcoords="offset points",
            ha="center",
            color=MUTED,
            fontsize=11,
        )
    worst = min(report.slices, key=lambda s: s.metric.value)
    return Picture(
        "slices",
        f"Weakest slice: {shorten(worst.name, 40)} at {worst.metric.value:.3f}",
        sentence(f"{metric_name(report.primary)} by slice (rows in brackets); whiskers are 95 % intervals"),
        figure,
    )


def _value(one: SliceScore) -> str:
    return shorten(one.name.partition("=")[2] or one.name, 16)


def _worth_showing(slices: tuple[SliceScore, ...]) -> list[SliceScore]:
    """Keep the largest slices where there are too many to read; the table has them all."""
    largest = sorted(slices, key=lambda s: -s.metric.rows)[:MOST]
    return [s for s in slices if s in largest]


def _grouped(slices: list[SliceScore]) -> dict[str, list[SliceScore]]:
    groups: dict[str, list[SliceScore]] = {}
    for one in slices:
        groups.setdefault(one.name.partition("=")[0], []).append(one)
    return {k: sorted(v, key=lambda s: -s.metric.value) for k, v in groups.items()}
