"""Step `new_rows`: how many rows of a window the champion has never seen."""

import numpy as np

from models.schemas import DatasetSnapshot
from tasks.caching import effect_step
from tasks.io.champion import Champion
from tasks.io.rows import text_hashes

_EVERY = ("train", "validation", "test")


@effect_step(__name__)
def new_rows(champion: Champion, window: DatasetSnapshot) -> int:
    """Count the window's rows that are not in the champion's snapshot.

    Args:
        champion: The present champion.
        window: The rows that are there now.
    """
    return int((~np.isin(text_hashes(window, _EVERY), text_hashes(champion.snapshot, _EVERY))).sum())
