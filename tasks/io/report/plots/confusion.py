"""The confusion matrix as a heat map: shade is the share of the row, figures where they fit."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from models.schemas.records import EvaluationReport
from tasks.io.report.canvas import INK, LINE, MUTED, NEW, ON_NEW, WIDTH, Picture, bare
from tasks.io.report.words import count, shorten

MOST = 30
FEW = 7
"""Up to this many labels each cell holds a share and a count; above, the share alone."""


def draw_confusion(report: EvaluationReport | None) -> Picture | None:
    """Draw truth in rows and prediction in columns."""
    if report is None or not report.confusion:
        return None
    every = np.asarray(report.confusion, dtype=np.int64)
    counts, labels = _most_mistaken(every, report.confusion_labels)
    few = len(counts) <= FEW
    left, top = (104.0, 46.0) if few else (112.0, 106.0)
    side = min((WIDTH - left - 12) / len(counts), 104)
    figure, axes = _sheet(len(counts), side, left, top)
    _cells(axes, counts, side)
    _names(axes, labels, few, side)
    return Picture("confusion", _claim(every, report.confusion_labels), _note(every), figure)


def _most_mistaken(counts: np.ndarray, labels: tuple[str, ...]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Keep the labels that are most often mistaken, and put all others together in one."""
    if len(labels) <= MOST:
        return counts, labels
    wrong = counts.sum(axis=0) + counts.sum(axis=1) - 2 * counts.diagonal()
    kept = np.sort(np.argsort(-wrong, kind="stable")[: MOST - 1])
    group = np.full(len(labels), len(kept))
    group[kept] = np.arange(len(kept))
    small = np.zeros((len(kept) + 1, len(kept) + 1), dtype=np.int64)
    np.add.at(small, (group[:, None], group[None, :]), counts)
    return small, (*(labels[i] for i in kept), f"{len(labels) - len(kept)} others")


def _sheet(size: int, side: float, left: float, top: float) -> tuple[Figure, Axes]:
    height = top + side * size + 12
    figure = Figure(figsize=(WIDTH / 72, height / 72), dpi=72)
    axes = figure.add_axes((left / WIDTH, 12 / height, side * size / WIDTH, side * size / height))
    bare(axes)
    axes.set(xlim=(0, size), ylim=(size, 0), xticks=[], yticks=[])
    return figure, axes


def _cells(axes: Axes, counts: np.ndarray, side: float) -> None:
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    gap = min(1.5 / side, 0.06)
    for i, j in np.ndindex(*counts.shape):
        share, number = float(shares[i, j]), int(counts[i, j])
        box = (j + gap / 2, i + gap / 2), 1 - gap, 1 - gap
        axes.add_patch(Rectangle(*box, facecolor=LINE, alpha=0.35, linewidth=0))
        if number:
            axes.add_patch(Rectangle(*box, facecolor=NEW, alpha=0.12 + 0.88 * share, linewidth=0))
            _figures(axes, (j + 0.5, i + 0.5), share, number, side)


def _figures(axes: Axes, at: tuple[float, float], share: float, number: int, side: float) -> None:
    colour = ON_NEW if share > 0.5 else INK
    if side >= 44:
        drop = 8 / side
        axes.text(
            at[0],
            at[1] - drop,
            f"{share:.0%}",
            ha="center",
            va="center",
            color=colour,
            size=15,
            weight="bold",
        )
        axes.text(at[0], at[1] + drop * 1.5, f"{number:,}", ha="center", va="center", color=colour, size=11)
    elif side >= 11 and share >= 0.02:
        size = 10 if side >= 22 else 7
        axes.text(*at, f"{share * 100:.0f}", ha="center", va="center", color=colour, size=size)


def _names(axes: Axes, labels: tuple[str, ...], few: bool, side: float) -> None:
    size = 12 if few else max(min(11, side * 0.72), 7)
    rows, columns = (15, max(int(side / 6.6), 4)) if few else (17, 15)
    for i, label in enumerate(labels):
        axes.text(-0.1, i + 0.5, shorten(label, rows), ha="right", va="center", color=INK, size=size)
        axes.text(
            i + 0.5,
            -8 / side if few else -0.3,
            shorten(label, columns),
            ha="center" if few else "left",
            va="bottom" if few else "center_baseline",
            rotation=0 if few else 90,
            rotation_mode="anchor",
            color=INK,
            size=size,
        )
    axes.annotate(
        "truth ↓   predicted →",
        (0, 1),
        xycoords="axes fraction",
        xytext=(0 if few else -8, 30 if few else 8),
        textcoords="offset points",
        ha="left" if few else "right",
        color=MUTED,
        size=11,
    )


def _claim(counts: np.ndarray, labels: tuple[str, ...]) -> str:
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    if not wrong.any():
        return "No label is taken for another"
    i, j = np.unravel_index(int(wrong.argmax()), wrong.shape)
    share = wrong[i, j] / counts[i].sum()
    return f"Commonest mistake: {share:.0%} of “{shorten(labels[i], 24)}” read as “{shorten(labels[j], 24)}”"


def _note(counts: np.ndarray) -> str:
    right = int(np.trace(counts))
    said = f"Per cent of each row; {right:,} of {count(int(counts.sum()), 'answer')} on the diagonal."
    return said + (" Labels with few mistakes are put together." if len(counts) > MOST else "")
