"""Step `new_rows`: how many rows of a window the champion has never seen."""

from models.schemas import AgentConfig, DatasetSnapshot
from tasks.caching import effect_step
from tasks.io.champion import Champion
from tasks.io.drifting import Rows, count_rows


@effect_step
def new_rows(config: AgentConfig, champion: Champion, window: DatasetSnapshot) -> Rows:
    """Count the rows that a drift check would look at.

    Args:
        config: The agent as it is described now.
        champion: The present champion.
        window: The rows that are there now.
    """
    return count_rows(config, champion, window)
