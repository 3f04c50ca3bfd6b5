"""Steps `report_start` and `report_pretrained`: what happened to a start, as a Prefect artifact.

Each adds who stands on an older version.
"""

from typing import TypeVar

from prefect.artifacts import create_markdown_artifact

from tasks.caching import effect_step
from tasks.io.books import Books
from tasks.io.home import current_home
from tasks.io.pretrained_story import PretrainStory
from tasks.io.report.pretrained_pictures import pretrained_markdown
from tasks.io.report.start_pictures import start_markdown
from tasks.io.standing import stale_agents
from tasks.io.start_story import StartStory
from tasks.io.tracking import find_version_run, log_record

S = TypeVar("S", StartStory, PretrainStory)


@effect_step
def report_start(told: StartStory) -> StartStory:
    """Add the agents that should be trained again, and write the run's artifact.

    Args:
        told: What the run did.
    """
    told = _with_stale(current_home().books(), told)
    _show(told.config.name, start_markdown(told))
    return told


@effect_step
def report_pretrained(told: PretrainStory) -> PretrainStory:
    """Add the agents that should be trained again, and write the run's artifact.

    Args:
        told: What the run did.
    """
    told = _with_stale(current_home().books(), told)
    _show(told.config.name, pretrained_markdown(told))
    return told


def _with_stale(books: Books, told: S) -> S:
    """Add who stands on an older version, and keep the story with the version's run."""
    stale = tuple(one for one in stale_agents(books) if one.start == told.config.name)
    told = told.model_copy(update={"stale": stale})
    run_id = find_version_run(books, told.config.agent, told.version)
    if run_id:
        log_record(books, run_id, "story.json", told)
    return told


def _show(name: str, markdown: str) -> None:
    create_markdown_artifact(markdown, key=f"start-{name}", description="What this run did")
