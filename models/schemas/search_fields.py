"""The fields that `tune` alone reads."""

from typing import Literal

from pydantic import Field

from models.schemas.base import Description
from models.schemas.search import SearchSpace


class SearchFields(Description):
    """What a search may change, and what it may cost.

    Args:
        search: What `tune` may change: by field, a range (`low`, `high`, with `log: true` or `step`) or a
            list of choices.
        search_trials: Most trainings that `tune` tries.
        search_seconds: `tune` begins no trial once all of them have trained for this time (seconds).
        search_method: How the next trial is chosen: `tpe` learns from the earlier ones.
        search_pruner: What ends a trial early whose validation curve lags behind the others' curves.
        search_workers: Trials at the same time.
    """

    search: SearchSpace = Field(default_factory=dict)
    search_trials: int = Field(default=20, ge=1)
    search_seconds: float | None = Field(default=None, gt=0)
    search_method: Literal["tpe", "random"] = "tpe"
    search_pruner: Literal["median", "hyperband", "none"] = "median"
    search_workers: int = Field(default=1, ge=1, le=64)
