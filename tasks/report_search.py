"""Step `report_search`: what a search came to, in MLflow and as a Prefect artifact."""

from prefect.artifacts import create_markdown_artifact

from models.schemas import AgentConfig
from models.schemas.trials import Search, SearchReport
from tasks.caching import effect_step
from tasks.io.home import current_home
from tasks.io.report.search_story import search_markdown
from tasks.io.search.coordinator import tell
from tasks.io.search.filing import file_search


@effect_step
def report_search(search: Search, config: AgentConfig) -> SearchReport:
    """Propose the best trial's values, and tell of all trials.

    Args:
        search: The search.
        config: The agent as it was written.
    """
    home = current_home()
    told = tell(home, search, config)
    file_search(home.books(), told)
    create_markdown_artifact(
        search_markdown(told), key=f"search-{search.agent}", description="What this search tried"
    )
    return told
