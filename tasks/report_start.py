"""Step `report_start`: what happened to a start, as a Prefect artifact, and who stands on an older one."""

from prefect.artifacts import create_markdown_artifact

from tasks.caching import effect_step
from tasks.io.home import current_home
from tasks.io.report.start_pictures import start_markdown
from tasks.io.standing import stale_agents
from tasks.io.start_story import StartStory
from tasks.io.tracking import find_version_run, log_record


@effect_step
def report_start(told: StartStory) -> StartStory:
    """Add the agents that should be trained again, and write the run's artifact.

    Args:
        told: What the run did.
    """
    books = current_home().books()
    stale = tuple(one for one in stale_agents(books) if one.start == told.config.name)
    told = told.model_copy(update={"stale": stale})
    run_id = find_version_run(books, told.config.agent, told.version)
    if run_id:
        log_record(books, run_id, "story.json", told)
    create_markdown_artifact(
        start_markdown(told), key=f"start-{told.config.name}", description="What this run did"
    )
    return told
