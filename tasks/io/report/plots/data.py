"""The data: rows by split, rows by label, and what went to the quarantine."""

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from models.adapters import ADAPTERS
from models.schemas.records import DatasetSnapshot
from tasks.io.report.canvas import BAD, BASE, INK, MUTED, NEW, ON_NEW, WIDTH, Picture, bare
from tasks.io.report.plots.rows import left_text
from tasks.io.report.words import count

MOST = 14
PITCH = 24
_SHADES = {"train": 1.0, "validation": 0.62, "test": 0.34}


def draw_data(snapshot: DatasetSnapshot | None) -> Picture | None:
    """Draw one bar for the splits, bars for the labels, and bars for the quarantine's reasons."""
    if snapshot is None:
        return None
    labels, reasons = _largest(snapshot.label_counts), _largest(snapshot.reasons)
    places = _Places(len(labels), len(reasons))
    figure = Figure(figsize=(WIDTH / 72, places.height / 72), dpi=72)
    _splits(_strip(figure, places, places.splits, 1, 16), snapshot.split_counts)
    if labels:
        _bars(_strip(figure, places, places.labels, len(labels), 134), labels, NEW)
    if reasons:
        _bars(_strip(figure, places, places.reasons, len(reasons), 134), reasons, BAD)
    _captions(figure, places, snapshot)
    return Picture("data", _claim(snapshot), _note(snapshot), figure)


class _Places:
    """Where the three groups begin, in pixels from the top."""

    def __init__(self, labels: int, reasons: int) -> None:
        self.splits = 26.0
        self.labels = self.splits + 52 + 34
        after = self.labels + labels * PITCH if labels else self.splits + 52
        self.reasons = after + 40
        self.height = (self.reasons + reasons * PITCH if reasons else after) + 8


def _strip(figure: Figure, places: _Places, top: float, rows: int, left: float) -> Axes:
    tall = 46 if left < 100 else rows * PITCH
    right = 16 if left < 100 else 84
    axes = figure.add_axes(
        (left / WIDTH, 1 - (top + tall) / places.height, (WIDTH - left - right) / WIDTH, tall / places.height)
    )
    bare(axes)
    axes.set(xticks=[], yticks=[])
    return axes


def _splits(axes: Axes, counts: Mapping[str, int]) -> None:
    total, start = max(sum(counts.values()), 1), 0.0
    order = [s for s in _SHADES if s in counts] + [s for s in counts if s not in _SHADES]
    for split in order:
        share = counts[split] / total
        shade = _SHADES.get(split, 0.2)
        axes.barh(0.5, max(share - 0.004, 0), left=start, height=0.5, color=NEW, alpha=shade, linewidth=0)
        wide = share > 0.09
        if wide:
            colour = ON_NEW if shade > 0.6 else INK
            axes.text(
                start + 0.012, 0.5, f"{counts[split]:,}", va="center_baseline", color=colour, weight="bold"
            )
            axes.text(start, 0.0, split, va="center_baseline", color=MUTED, size=11)
        start += share
    axes.set(xlim=(0, 1), ylim=(-0.15, 0.8))


def _bars(axes: Axes, counts: Mapping[str, int], colour: str) -> None:
    total = max(sum(counts.values()), 1)
    most = max(counts.values())
    for y, (name, number) in enumerate(counts.items()):
        rest = name.startswith("and ") and name.endswith(" more")
        axes.barh(y, number, height=0.56, color=BASE if rest else colour, linewidth=0)
        left_text(axes, y, name)
        axes.annotate(
            f"{number:,}  {number / total:.1%}",
            (number, y),
            xytext=(7, 0),
            textcoords="offset points",
            va="center_baseline",
            color=MUTED,
            size=11,
            annotation_clip=False,
        )
    axes.set(xlim=(0, max(most, 1)), ylim=(len(counts) - 0.5, -0.5))


def _captions(figure: Figure, places: _Places, snapshot: DatasetSnapshot) -> None:
    def write(top: float, text: str) -> None:
        figure.text(16 / WIDTH, 1 - top / places.height, text, color=INK, weight="bold", va="center_baseline")

    write(places.splits - 10, "Rows by split")
    if snapshot.label_counts:
        write(places.labels - 16, f"By {ADAPTERS[snapshot.adapter].label_word}")
    if snapshot.reasons:
        write(places.reasons - 16, f"In quarantine: {count(snapshot.quarantined, 'row')}")


def _largest(counts: Mapping[str, int]) -> dict[str, int]:
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    if len(ranked) <= MOST:
        return dict(ranked)
    rest = ranked[MOST - 1 :]
    return {**dict(ranked[: MOST - 1]), f"and {len(rest)} more": sum(n for _, n in rest)}


def _claim(snapshot: DatasetSnapshot) -> str:
    said = count(snapshot.rows, "usable row")
    return (
        f"{said}, none refused"
        if not snapshot.quarantined
        else f"{said}, {snapshot.quarantined:,} in quarantine"
    )


def _note(snapshot: DatasetSnapshot) -> str:
    found = {
        "exact duplicate": snapshot.exact_duplicates,
        "normalized duplicate": snapshot.normalized_duplicates,
        "row in two splits": snapshot.in_two_splits,
    }
    parts = [
        f"{n:,} rows in two splits" if "two" in k and n > 1 else count(n, k) for k, n in found.items() if n
    ]
    when = ""
    if snapshot.time_start and snapshot.time_end:
        when = f" From {snapshot.time_start:%d %B %Y} to {snapshot.time_end:%d %B %Y}."
    return ("Found: " + ", ".join(parts) + "." if parts else "No duplicates found.") + when
