"""A search's history: each trial's score, and the best so far."""

from matplotlib.axes import Axes

from models.schemas.trials import SearchReport, Tried
from tasks.io.report.canvas import BAD, BASE, MUTED, NEW, OLD, SURFACE, Picture, grid, sheet
from tasks.io.report.words import count, metric_name


def draw_trials(told: SearchReport) -> Picture | None:
    """Draw a dot a trial in the order in which they were drawn, and a line for the best so far."""
    scored = [one for one in told.trials if one.report.score is not None]
    winner = told.winner
    if not scored or winner is None:
        return None
    figure, axes = sheet(230, left=52, right=20, top=14, bottom=42)
    grid(axes, "y")
    for state, style in {
        "pruned": {"mfc": SURFACE, "mec": BASE},
        "complete": {"mfc": OLD, "mec": SURFACE},
        "failed": {"mfc": SURFACE, "mec": BAD},
    }.items():
        _dots(axes, [one for one in scored if one.report.state == state], style)
    _best_so_far(axes, told.trials)
    best = winner.report.score or 0.0
    axes.plot([winner.trial.number], [best], "o", ms=10, mfc=SURFACE, mec=NEW, mew=2.4, clip_on=False)
    axes.set_xlabel("trial", color=MUTED, fontsize=11)
    axes.locator_params(axis="x", integer=True, nbins=8)
    axes.locator_params(axis="y", nbins=5)
    axes.margins(x=0.03, y=0.12)
    pruned = sum(one.report.state == "pruned" for one in told.trials)
    return Picture(
        "trials",
        f"Trial {winner.trial.number} is the best: validation {metric_name(told.metric)} {best:.3f}",
        f"{count(len(told.trials), 'trial')}; {pruned} ended early (hollow). The line is the best so far.",
        figure,
    )


def _dots(axes: Axes, trials: list[Tried], style: dict[str, str]) -> None:
    places = [one.trial.number for one in trials]
    scores = [one.report.score or 0.0 for one in trials]
    axes.plot(places, scores, "o", ms=6.5, mew=1.4, clip_on=False, mfc=style["mfc"], mec=style["mec"])


def _best_so_far(axes: Axes, trials: tuple[Tried, ...]) -> None:
    places, heights, best = [], [], None
    for one in trials:
        score = one.report.score if one.report.state == "complete" else None
        best = score if best is None else max(best, score or best)
        if best is not None:
            places.append(one.trial.number)
            heights.append(best)
    axes.step(places, heights, where="post", color=NEW, lw=2)
