"""The gate's verdict: every test's difference with its margin and p-value, and the guardrails."""

from dataclasses import dataclass
from math import isfinite

from matplotlib.axes import Axes

from models.schemas.records import GateReport, Guardrail, TestResult
from tasks.io.report.canvas import BAD, BASE, GOOD, INK, LINE, MUTED, SURFACE, Picture, grid, sheet
from tasks.io.report.plots.rows import PITCH, heading, left_text, positions, right_text
from tasks.io.report.words import VERDICTS, count, metric_name, named_test, p_value, sentence, shorten

MOST = 22


@dataclass(frozen=True)
class _Line:
    test: TestResult
    group: str = ""


def draw_gate(report: GateReport | None) -> Picture | None:
    """Draw differences in points: right of zero the challenger is better; the tick is the margin."""
    lines = [] if report is None else _lines(report)
    if report is None or not lines:
        return None
    places = positions([1.0 if line.group else 0.0 for line in lines])
    figure, axes = sheet(places[-1] * PITCH + PITCH + 52, left=134, right=92, top=6, bottom=40)
    grid(axes)
    axes.set(xlim=_limits([line.test for line in lines]), ylim=(places[-1] + 0.6, -0.6), yticks=[])
    axes.axvline(0, color=INK, lw=1.2, zorder=1)
    axes.locator_params(axis="x", nbins=5)
    for line, y in zip(lines, places, strict=True):
        if line.group:
            heading(axes, y - 1, line.group)
        _test(axes, y, line.test)
    axes.set_xlabel("← worse      difference in points      better →", color=MUTED, fontsize=11)
    return Picture("gate", f"The gate says: {VERDICTS[report.verdict]}", _note(report), figure)


def _lines(report: GateReport) -> list[_Line]:
    groups = (
        ("superiority", (report.superiority,) if report.superiority else ()),
        ("harm on slices", report.slices),
        ("against baselines", report.baselines),
    )
    lines: list[_Line] = []
    for name, tests in groups:
        ranked = sorted(tests, key=lambda t: t.passed)[:MOST]
        lines += [_Line(t, name if i == 0 else "") for i, t in enumerate(ranked)]
    return lines


def _limits(tests: list[TestResult]) -> tuple[float, float]:
    ends = [t.difference * 100 for t in tests] + [-t.margin * 100 for t in tests] + [0.0]
    ends = [x for x in ends if isfinite(x)]
    room = max((max(ends) - min(ends)) * 0.1, 0.6)
    return min(ends) - room, max(ends) + room


def _test(axes: Axes, y: float, test: TestResult) -> None:
    colour = GOOD if test.passed else BAD
    if test.margin:
        axes.plot([-test.margin * 100] * 2, [y - 0.32, y + 0.32], color=MUTED, lw=1.6)
    axes.plot([0, test.difference * 100], [y, y], color=colour, lw=2.2, alpha=0.55)
    marker = "o" if test.passed else "X"
    axes.plot([test.difference * 100], [y], marker, ms=8.5, mfc=colour, mec=SURFACE, mew=1, clip_on=False)
    left_text(axes, y, named_test(test.name.removeprefix("slice ")))
    mark = "✓" if test.passed else "✗"
    right_text(axes, y, f"{mark} {p_value(test.p_value)}", colour=colour)


def _note(report: GateReport) -> str:
    parts = [sentence(report.reason)]
    if any(t.margin for t in (*report.slices, *report.baselines)):
        parts.append("The grey tick is the margin.")
    if report.too_small:
        few = ", ".join(f"{shorten(n, 24)} ({r})" for n, r in list(report.too_small.items())[:6])
        parts.append(f"Too small to judge: {few}.")
    if report.needed_rows:
        parts.append(f"{count(report.needed_rows, 'row')} would do; there are {report.rows:,}.")
    if report.used_up:
        parts.append(f"{count(report.used_up, 'held-out row')} used up.")
    return " ".join(parts)


def draw_guardrails(report: GateReport | None) -> Picture | None:
    """Draw each guardrail as a bar on the way to its limit."""
    if report is None or not report.guardrails:
        return None
    rails = report.guardrails
    figure, axes = sheet(len(rails) * (PITCH + 8) + 30, left=134, right=108, top=24, bottom=6)
    widest = max([1.0, *(r.value / r.limit for r in rails if r.limit)])
    axes.set(xlim=(0, widest * 1.04), ylim=(len(rails) - 0.5, -0.5), xticks=[], yticks=[])
    for y, rail in enumerate(rails):
        _rail(axes, y, rail)
    if any(r.limit for r in rails):
        axes.axvline(1, color=INK, lw=1.4)
        top = ("data", "axes fraction")
        axes.annotate(
            "limit", (1, 1), xycoords=top, xytext=(0, 6), textcoords="offset points", ha="center", color=MUTED
        )
    broken = [r.name for r in rails if not r.passed]
    said = f"Over the limit: {', '.join(broken)}" if broken else "Every guardrail holds"
    return Picture("guardrails", said, "Each value as a share of its configured limit.", figure)


def _rail(axes: Axes, y: float, rail: Guardrail) -> None:
    colour = GOOD if rail.passed else BAD
    left_text(axes, y, metric_name(rail.name))
    if rail.limit is None:
        axes.plot([0, 1], [y, y], color=LINE, lw=1, ls=(0, (2, 3)))
        right_text(axes, y, f"{rail.value:.3g}, no limit", colour=MUTED)
        return
    axes.barh(y, 1, height=0.42, color=BASE, alpha=0.18, linewidth=0)
    axes.barh(y, rail.value / rail.limit, height=0.42, color=colour, linewidth=0)
    right_text(axes, y, f"{'✓' if rail.passed else '✗'} {rail.value:.3g} of {rail.limit:g}", colour=colour)
