"""Drift: where the two windows lie in embedding space, and how the label shares moved."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from scipy import stats

from models.schemas.records import DriftReport
from tasks.io.report.canvas import BASE, INK, LINE, MUTED, NEW, OLD, SURFACE, Picture, grid, sheet
from tasks.io.report.plots.rows import PITCH, left_text, right_text
from tasks.io.report.words import count, p_value, points, sentence, shorten

DOTS = 260
"""Most points drawn per window; the density uses them all."""
MOST = 16

Points = Sequence[tuple[float, float]]


def draw_windows(report: DriftReport | None) -> Picture | None:
    """Draw both windows on the first two principal components with lines around half and nine tenths."""
    if report is None or not report.reference_points or not report.current_points:
        return None
    figure, axes = sheet(336, left=4, right=4, top=34, bottom=20)
    axes.set(xticks=[], yticks=[])
    for cloud, colour in ((report.reference_points, OLD), (report.current_points, NEW)):
        _cloud(axes, np.asarray(cloud, dtype=float), colour)
    _zoom(axes, np.asarray([*report.reference_points, *report.current_points], dtype=float))
    axes.axhline(0, color=LINE, lw=0.8, zorder=0)
    axes.axvline(0, color=LINE, lw=0.8, zorder=0)
    _legend(axes, report)
    said = "; ".join(f"{t.name} {p_value(t.p_value)}" for t in report.tests)
    return Picture(
        "drift",
        "The new window lies elsewhere" if report.drifted else "The new window lies where the old one lay",
        f"Embeddings on their first two principal components; lines hold half and nine tenths of the rows. "
        f"{sentence(said)}",
        figure,
    )


def _zoom(axes: Axes, cloud: np.ndarray) -> None:
    """Leave a few far points out, so that the bulk fills the sheet."""
    low, high = np.quantile(cloud, [0.004, 0.996], axis=0)
    room = np.maximum((high - low) * 0.09, 1e-9)
    axes.set(xlim=(low[0] - room[0], high[0] + room[0]), ylim=(low[1] - room[1], high[1] + room[1]))


def _cloud(axes: Axes, cloud: np.ndarray, colour: str) -> None:
    every = max(len(cloud) // DOTS, 1)
    dots = cloud[::every]
    axes.plot(dots[:, 0], dots[:, 1], "o", ms=3.4, color=colour, mec="none", alpha=0.38)
    if len(cloud) < 10 or np.linalg.matrix_rank(np.cov(cloud.T)) < 2:
        return
    density = stats.gaussian_kde(cloud.T)  # type: ignore[attr-defined, no-untyped-call] # scipy is untyped
    low, high = cloud.min(axis=0), cloud.max(axis=0)
    room = (high - low) * 0.15
    x, y = np.meshgrid(*(np.linspace(a - r, b + r, 60) for a, b, r in zip(low, high, room, strict=True)))
    levels = np.quantile(density(cloud.T), [0.1, 0.5])
    field = density(np.vstack([x.ravel(), y.ravel()])).reshape(x.shape)
    if levels[0] < levels[1] < field.max():
        axes.contourf(x, y, field, levels=[levels[1], field.max()], colors=[colour], alpha=0.16)
        axes.contour(x, y, field, levels=levels, colors=[colour], linewidths=[1.2, 2])


def _legend(axes: Axes, report: DriftReport) -> None:
    texts = (
        (0.0, "left", OLD, f"● reference, {count(report.reference_rows, 'row')}"),
        (1.0, "right", NEW, f"● current, {count(report.current_rows, 'row')}"),
    )
    for x, side, colour, text in texts:
        axes.text(x, 1.045, text, transform=axes.transAxes, ha=side, color=colour, size=12, weight="bold")
    note = "first component →"
    axes.text(1.0, -0.045, note, transform=axes.transAxes, ha="right", color=MUTED, size=11)
    axes.text(0.0, -0.045, "↑ second", transform=axes.transAxes, ha="left", color=MUTED, size=11)


def draw_shares(report: DriftReport | None) -> Picture | None:
    """Draw each label's share in both windows, joined by the way it went."""
    names = [] if report is None else _labels(report)
    if report is None or not names:
        return None
    figure, axes = sheet(len(names) * PITCH + 66, left=134, right=70, top=34, bottom=30)
    grid(axes)
    pairs = [(report.reference_shares.get(n, 0.0), report.current_shares.get(n, 0.0)) for n in names]
    axes.set(xlim=(-0.01, max(max(p) for p in pairs) * 1.1 + 0.01), ylim=(len(names) - 0.4, -0.6), yticks=[])
    axes.xaxis.set_major_formatter(lambda v, _: f"{v:.0%}")
    axes.locator_params(axis="x", nbins=5)
    for y, (name, pair) in enumerate(zip(names, pairs, strict=True)):
        _pair(axes, y, pair, name in report.moved_most)
        left_text(axes, y, name, strong=name in report.moved_most)
        right_text(axes, y, points(pair[1] - pair[0]), strong=name in report.moved_most)
    _keys(axes, len(names))
    most = max(range(len(names)), key=lambda i: abs(pairs[i][1] - pairs[i][0]))
    gap = points(pairs[most][1] - pairs[most][0])
    return Picture(
        "shares",
        f"Moved most: “{shorten(names[most], 28)}”, {gap} points",
        "Share of each predicted label in the two windows; the change in points at the right.",
        figure,
    )


def _labels(report: DriftReport) -> list[str]:
    old, new = report.reference_shares, report.current_shares
    names = sorted({*old, *new}, key=lambda n: (-abs(new.get(n, 0) - old.get(n, 0)), n))[:MOST]
    return sorted(names, key=lambda n: (-old.get(n, 0), n))


def _pair(axes: Axes, y: float, pair: tuple[float, float], strong: bool) -> None:
    axes.plot(pair, [y, y], color=NEW if strong else BASE, lw=2.4 if strong else 1.6, alpha=0.6)
    axes.plot([pair[0]], [y], "o", ms=8, mfc=SURFACE, mec=OLD, mew=2, clip_on=False)
    axes.plot([pair[1]], [y], "o", ms=8.5, mfc=NEW, mec=NEW, clip_on=False)


def _keys(axes: Axes, rows: int) -> None:
    up = 1 + 15 / (rows * PITCH)
    axes.text(0.0, up, "○ reference", transform=axes.transAxes, color=OLD, weight="bold")
    axes.text(0.36, up, "● current", transform=axes.transAxes, color=NEW, weight="bold")
    axes.annotate(
        "points", (1, up), xycoords="axes fraction", xytext=(12, 0), textcoords="offset points", color=INK
    )
