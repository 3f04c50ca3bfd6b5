"""Step `report`: what happened, as a page, as an MLflow artifact and as a Prefect artifact."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from prefect.artifacts import create_link_artifact, create_markdown_artifact

from models.schemas import AgentConfig
from tasks.caching import effect_step, step_log
from tasks.io.home import Home, current_home
from tasks.io.ledger import history
from tasks.io.report import as_markdown, write_report
from tasks.io.report.filing import file_report
from tasks.io.report.story import AgentStory, Link, Round, Story
from tasks.io.step_lines import steps_of_rounds


@effect_step
def report(agents: Sequence[AgentConfig], rounds: Mapping[str, Sequence[Round]]) -> Story:
    """Write the report of a run.

    Args:
        agents: The agents that took part.
        rounds: What was done for each, oldest first, by the agent's name.
    """
    home = current_home()
    story = _story(home, agents, rounds)
    path = write_report(story, home.reports / _name(agents))
    create_markdown_artifact(as_markdown(story), key="report", description="What this run did")
    create_link_artifact(path.as_uri(), key="report-page", link_text=str(path), description="The page")
    file_report(home.books(), story, path)
    return story


def _name(agents: Sequence[AgentConfig]) -> str:
    return f"{agents[0].name}.html" if len(agents) == 1 else "report.html"


def _story(home: Home, agents: Sequence[AgentConfig], rounds: Mapping[str, Sequence[Round]]) -> Story:
    ledger, lines = home.books().ledger, step_log()
    told = []
    for config in agents:
        steps = steps_of_rounds(lines, config.name)
        mine = [
            turn.model_copy(update={"steps": steps[place] if place < len(steps) else ()})
            for place, turn in enumerate(rounds[config.name])
        ]
        told.append(AgentStory(config=config, rounds=tuple(mine), moves=history(ledger, config.name)))
    links = (
        Link(name="report", target=str(home.reports / _name(agents))),
        Link(name="state", target=str(home.root)),
    )
    return Story(made_at=datetime.now(UTC), agents=tuple(told), links=links)
