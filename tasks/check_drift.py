"""Step `check_drift`: has the world moved since the champion was made?"""

from models.schemas import AgentConfig, DatasetSnapshot, DriftReport
from tasks.caching import cached_step
from tasks.io.champion import Champion
from tasks.io.drifting import compare_window


@cached_step(__name__, also=frozenset({"drift_alpha", "drift_sample_rows"}))
def check_drift(config: AgentConfig, champion: Champion, window: DatasetSnapshot) -> DriftReport:
    """Compare a window's new rows with the champion's held-out ones.

    Args:
        config: The agent.
        champion: The present champion.
        window: The rows that are there now.
    """
    return compare_window(config, champion, window)
