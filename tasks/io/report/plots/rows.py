"""Rows of a chart: one line of text, one mark, one figure at the right; shared by the dot plots."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from models.schemas.records import Metric
from tasks.io.report.canvas import INK, LINE, MUTED, SURFACE, grid, sheet
from tasks.io.report.words import shorten

PITCH = 26
"""Pixels from one row to the next."""


@dataclass(frozen=True)
class Row:
    """A score with its interval, how it is drawn and what it is called."""

    name: str
    metric: Metric
    colour: str
    strong: bool = False
    hollow: bool = False
    gap: float = 0.0


def positions(gaps: Sequence[float]) -> list[float]:
    """Place rows downwards from 0, each after its gap (in rows)."""
    places, y = [], 0.0
    for gap in gaps:
        y += gap
        places.append(y)
        y += 1
    return places


def dot_plot(rows: Sequence[Row], right: float = 62) -> tuple[Figure, Axes]:
    """Draw dots with whiskers, the name at the left and the value at the right."""
    places = positions([r.gap for r in rows])
    figure, axes = sheet(places[-1] * PITCH + PITCH + 44, left=134, right=right, top=8, bottom=30)
    grid(axes)
    low, high = _limits(rows)
    axes.set_xlim(low, high)
    axes.set_ylim(places[-1] + 0.6, -0.6)
    axes.set_yticks([])
    axes.locator_params(axis="x", nbins=5)
    for row, y in zip(rows, places, strict=True):
        _dot(axes, row, y)
    return figure, axes


def _limits(rows: Sequence[Row]) -> tuple[float, float]:
    low = min(min(r.metric.low, r.metric.value) for r in rows)
    high = max(max(r.metric.high, r.metric.value) for r in rows)
    room = max((high - low) * 0.08, 0.02)
    return max(low - room, -0.005), min(high + room, 1.005)


def _dot(axes: Axes, row: Row, y: float) -> None:
    width = 2.6 if row.strong else 1.6
    axes.plot([row.metric.low, row.metric.high], [y, y], color=row.colour, lw=width, solid_capstyle="round")
    face = SURFACE if row.hollow else row.colour
    size = 9 if row.strong else 7
    axes.plot([row.metric.value], [y], "o", ms=size, mfc=face, mec=row.colour, mew=1.6, clip_on=False)
    left_text(axes, y, row.name, strong=row.strong)
    right_text(axes, y, f"{row.metric.value:.3f}", strong=row.strong)


def left_text(axes: Axes, y: float, text: str, strong: bool = False, limit: int = 23) -> None:
    """Write a row's name left of the axes."""
    _beside(axes, y, shorten(text, limit), (0, -12), "right", INK, strong)


def right_text(axes: Axes, y: float, text: str, strong: bool = False, colour: str = "") -> None:
    """Write a row's figure right of the axes."""
    _beside(axes, y, text, (1, 12), "left", colour or (INK if strong else MUTED), strong)


def _beside(  # noqa: PLR0913, PLR0917
    axes: Axes, y: float, text: str, at: tuple[float, float], ha: str, colour: str, strong: bool
) -> None:
    axes.annotate(
        text,
        xy=(at[0], y),
        xycoords=("axes fraction", "data"),
        xytext=(at[1], 0),
        textcoords="offset points",
        ha=ha,
        va="center_baseline",
        color=colour,
        fontweight="bold" if strong else "normal",
        annotation_clip=False,
    )


def heading(axes: Axes, y: float, text: str) -> None:
    """Write a small heading over a group of rows, with a hairline."""
    _beside(axes, y, text, (0, -12), "right", MUTED, False)
    axes.axhline(y, color=LINE, lw=0.8)
