"""Rows of a chart: one line of text, one mark, one figure at the right; shared by the dot plots."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from models.schemas.records import Metric
from tasks.io.report.canvas import INK, LINE, MUTED, SURFACE, grid, sheet
from tasks.io.report.words import shorten

PITCH = 26
"""Pixels from one row to the next."""
LONG = 18
"""Names of more characters are written smaller."""


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
    ends = [x for r in rows for x in (r.metric.low, r.metric.value, r.metric.high) if isfinite(x)]
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
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


def left_text(axes: Axes, y: float, text: str, strong: bool = False) -> None:
    """Write a row's name left of the axes, smaller where it is long."""
    size = 12 if len(text) <= LONG else 10.5
    _beside(
        axes, (0, y), shorten(text, LONG + 4), color=INK, weight="bold" if strong else "normal", size=size
    )


def right_text(axes: Axes, y: float, text: str, strong: bool = False, colour: str = "") -> None:
    """Write a row's figure right of the axes."""
    ink = colour or (INK if strong else MUTED)
    _beside(axes, (1, y), text, color=ink, weight="bold" if strong else "normal")


def _beside(axes: Axes, at: tuple[float, float], text: str, **ink: str | float) -> None:
    axes.annotate(
        text,
        xy=at,
        xycoords=("axes fraction", "data"),
        xytext=(12 if at[0] else -12, 0),
        textcoords="offset points",
        ha="left" if at[0] else "right",
        va="center_baseline",
        annotation_clip=False,
        **ink,  # type: ignore[arg-type] # text properties, typed one by one in matplotlib
    )


def heading(axes: Axes, y: float, text: str) -> None:
    """Write a small heading over a group of rows, with a hairline."""
    _beside(axes, (0, y), text, color=MUTED)
    axes.axhline(y, color=LINE, lw=0.8)
