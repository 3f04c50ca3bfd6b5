"""Step `new_rows`: how many rows of a window the champion has never seen."""

from models.schemas import DatasetSnapshot
from tasks.caching import effect_step
from tasks.io.champion import Champion
from tasks.io.drifting import Rows, count_rows


@effect_step(__name__)
def new_rows(champion: Champion, window: DatasetSnapshot) -> Rows:
    """Count the rows that a drift check would look at.

    Args:
        champion: The present champion.
        window: The rows that are there now.
    """
    return count_rows(champion, window)
