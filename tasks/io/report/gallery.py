"""Which pictures belong to a round and to an agent, in the order in which they are looked at."""

from dataclasses import dataclass

from tasks.io.report import plots
from tasks.io.report.canvas import Picture, style, svg
from tasks.io.report.story import AgentStory, Round, Story
from tasks.io.report.words import metric_name


@dataclass(frozen=True)
class Hung:
    """A picture as the page shows it: inline SVG with what it says and how to read it."""

    key: str
    title: str
    note: str
    svg: str


def round_pictures(turn: Round) -> list[Picture]:
    """Draw every picture that the round's records allow."""
    report = turn.evaluation
    metric = metric_name(report.primary) if report else "score"
    drawn = [
        plots.draw_metrics(turn),
        plots.draw_gate(turn.gate),
        plots.draw_windows(turn.drift),
        plots.draw_shares(turn.drift),
        plots.draw_confusion(report),
        plots.draw_reliability(report),
        plots.draw_slices(report),
        plots.draw_robustness(report),
        plots.draw_learning(turn.training, metric),
        plots.draw_data(turn.snapshots[-1] if turn.snapshots else None),
        plots.draw_guardrails(turn.gate),
    ]
    return [picture for picture in drawn if picture]


def hang_round(turn: Round, prefix: str) -> list[Hung]:
    """Draw a round's pictures for the page; `prefix` keeps ids apart."""
    with style():
        return [_hang(picture, prefix) for picture in round_pictures(turn)]


def hang_history(agent: AgentStory, story: Story, prefix: str) -> Hung | None:
    """Draw the champion's history for the page."""
    with style():
        picture = plots.draw_history(agent.moves, story.made_at)
        return _hang(picture, prefix) if picture else None


def _hang(picture: Picture, prefix: str) -> Hung:
    named = Picture(f"{prefix}-{picture.key}", picture.title, picture.note, picture.figure)
    title = picture.title.replace("TF-IDF", "TF\u2011IDF")
    return Hung(picture.key, title, picture.note, svg(named))


def pictures(story: Story) -> dict[str, bytes]:
    """Draw every picture as an SVG file of its own, on white.

    Returns:
        SVG text by path: `<agent>/<flow>-<n>/<picture>.svg` and `<agent>/history.svg`.
    """
    files: dict[str, bytes] = {}
    with style():
        for agent in story.agents:
            name = agent.config.name
            for number, turn in enumerate(agent.rounds, start=1):
                folder = f"{name}/{turn.flow}-{number}"
                files |= {f"{folder}/{p.key}.svg": svg(p, False).encode() for p in round_pictures(turn)}
            history = plots.draw_history(agent.moves, story.made_at)
            if history:
                files[f"{name}/history.svg"] = svg(history, False).encode()
    return files
