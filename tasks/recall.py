"""Step `recall`: how the champion came to be, for a run that finds nothing new."""

from tasks.caching import effect_step
from tasks.io.champion import Champion
from tasks.io.home import current_home
from tasks.io.report.evidence import recall_round
from tasks.io.report.story import Round


@effect_step
def recall(champion: Champion) -> Round:
    """Tell again how the champion was made and judged.

    Args:
        champion: The present champion.
    """
    return recall_round(current_home().books(), champion)
