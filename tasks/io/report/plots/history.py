"""The champion's history: which version held the alias when."""

from datetime import datetime, timedelta

from matplotlib.axes import Axes

from models.schemas.records import Move
from tasks.io.report.canvas import BASE, LINE, MUTED, NEW, OLD, SURFACE, Picture, sheet
from tasks.io.report.plots.rows import PITCH, left_text
from tasks.io.report.words import count

MOST = 12
_KINDS = {"promotion": NEW, "rollback": OLD, "manual": OLD, "observed": BASE}


def draw_history(moves: tuple[Move, ...], now: datetime) -> Picture | None:
    """Draw a lane a version and a bar for each time it was champion; newest version on top."""
    done = sorted((m for m in moves if m.state == "done"), key=lambda m: (m.at, m.id))[-MOST:]
    versions = sorted({m.to_version for m in done if m.to_version is not None}, reverse=True)
    if not versions:
        return None
    figure, axes = sheet(len(versions) * (PITCH + 6) + 42, left=86, right=86, top=8, bottom=34)
    lanes = {v: float(i) for i, v in enumerate(versions)}
    start, end = done[0].at, max(now, done[-1].at + timedelta(seconds=1))
    span = max((end - start).total_seconds(), 1.0)
    axes.set(xlim=(0, 1), ylim=(len(versions) - 0.5, -0.5), yticks=[])
    for version, y in lanes.items():
        axes.axhline(y, color=LINE, lw=1)
        left_text(axes, y, f"version {version}", strong=version == done[-1].to_version)
    for move, after in zip(done, [*done[1:], None], strict=True):
        until = after.at if after else end
        at = [(t - start).total_seconds() / span for t in (move.at, until)]
        _reign(axes, move, lanes, at, last=after is None)
    axes.set_xticks([0, 1], labels=[_when(start, end), "now" if done[-1].to_version else _when(end, start)])
    champion = done[-1].to_version
    said = f"Version {champion} is champion" if champion else "There is no champion now"
    return Picture(
        "history",
        f"{said}, {count(len(done), 'move')} in all" if len(done) == len(moves) else said,
        "Each bar is a reign; the dot is the move that began it.",
        figure,
    )


def _when(moment: datetime, other: datetime) -> str:
    same_day = moment.date() == other.date()
    return f"{moment:%H:%M:%S}" if same_day else f"{moment:%d %b %Y}"


def _reign(axes: Axes, move: Move, lanes: dict[int, float], at: list[float], last: bool) -> None:
    if move.to_version is None:
        return
    y, colour = lanes[move.to_version], _KINDS[move.kind]
    if move.from_version in lanes:
        axes.plot([at[0]] * 2, [lanes[move.from_version], y], color=MUTED, lw=1.2, ls=(0, (2, 2)))
    axes.plot(at, [y, y], color=colour, lw=9, alpha=1 if last else 0.45, solid_capstyle="butt")
    axes.plot([at[0]], [y], "o", ms=11, mfc=SURFACE, mec=colour, mew=2.4, clip_on=False)
    if last:
        axes.annotate(
            "champion",
            (at[1], y),
            xytext=(10, 0),
            textcoords="offset points",
            va="center_baseline",
            color=colour,
            weight="bold",
            annotation_clip=False,
        )
