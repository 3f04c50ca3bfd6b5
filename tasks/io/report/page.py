"""The report's page: one HTML file that needs nothing else, made from a story."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from models.schemas.records import Metric
from tasks.io.report import words
from tasks.io.report.gallery import Hung, hang_history, hang_round
from tasks.io.report.loop import nodes_of
from tasks.io.report.loop_picture import LYING, STANDING, draw_loop
from tasks.io.report.story import AgentStory, Round, Story
from tasks.io.report.tables import Table, tables_of

_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class RoundView:
    """A round as the page shows it."""

    story: Round
    title: str
    said: str
    pictures: list[Hung]
    tables: list[Table]
    total: float
    longest: float


@dataclass(frozen=True)
class AgentView:
    """An agent as the page shows it: its newest round open, the earlier ones folded."""

    story: AgentStory
    anchor: str
    said: str
    metric: str
    score: Metric | None
    newest: RoundView | None
    earlier: list[RoundView]
    history: Hung | None


def write_report(story: Story, path: Path) -> Path:
    """Write the report; the same story gives the same bytes.

    Args:
        story: What is told; any part may be missing.
        path: The HTML file to write; its folder is made.

    Returns:
        The path that was written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render(story), encoding="utf-8")
    return path


def render(story: Story) -> str:
    """Make the page's HTML."""
    nodes = nodes_of(story)
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            story=story,
            agents=[_agent_view(story, agent, i) for i, agent in enumerate(story.agents)],
            headline=words.headline(story),
            css=Markup((_TEMPLATES / "style.css").read_text(encoding="utf-8")),  # noqa: S704 - our own file
            loop_lying=Markup(draw_loop(nodes, LYING)),  # noqa: S704 - escapes what it is given
            loop_standing=Markup(draw_loop(nodes, STANDING)),  # noqa: S704 - escapes what it is given
        )
    )


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "day": _day,
        "clock": _clock,
        "sentence": words.sentence,
        "seconds": words.seconds,
        "verdict": lambda v: words.VERDICTS.get(v, v),
        "version": lambda v: "none" if v is None else f"v{v}",
    }
    return made


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment


def _day(moment: datetime) -> str:
    return f"{_utc(moment):%d %B %Y}".lstrip("0")


def _clock(moment: datetime) -> str:
    return f"{_utc(moment):%H:%M:%S}"


def _agent_view(story: Story, agent: AgentStory, number: int) -> AgentView:
    views = [_round_view(turn, f"a{number}r{i}", i) for i, turn in enumerate(agent.rounds, start=1)]
    report = words.champion_evaluation(agent)
    return AgentView(
        story=agent,
        anchor=f"agent-{agent.config.name}",
        said=words.round_sentence(agent.rounds[-1]) if agent.rounds else "nothing ran yet",
        metric=words.metric_name(report.primary) if report else "",
        score=words.primary(report),
        newest=views[-1] if views else None,
        earlier=views[:-1][::-1],
        history=hang_history(agent, story, f"a{number}"),
    )


def _round_view(turn: Round, prefix: str, number: int) -> RoundView:
    made = f", version {turn.version}" if turn.version else ""
    return RoundView(
        story=turn,
        title=f"Round {number}: {turn.flow.replace('_', ' ')}{made}",
        said=words.round_sentence(turn),
        pictures=hang_round(turn, prefix),
        tables=tables_of(turn),
        total=sum(s.seconds for s in turn.steps),
        longest=max([s.seconds for s in turn.steps] + [0.001]),
    )
