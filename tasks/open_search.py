"""Step `open_search`: the search of an agent's ranges on a snapshot, new or where it was left."""

from models.schemas import AgentConfig, DatasetSnapshot
from models.schemas.trials import Search
from tasks.caching import effect_step
from tasks.io.home import current_home
from tasks.io.search.coordinator import begin


@effect_step
def open_search(config: AgentConfig, snapshot: DatasetSnapshot) -> Search:
    """Open a search in SQL and in MLflow.

    Args:
        config: The agent with its ranges.
        snapshot: The rows.

    Raises:
        ConfigError: The description has nothing to search.
    """
    return begin(current_home(), config, snapshot)
