"""Scores with intervals; which of them a task type has is one line in SCORERS."""

from collections.abc import Callable

import pyarrow as pa

from models.adapters import TaskAdapter
from models.metrics.bootstrap import score_counts
from models.metrics.calibration import calibration_error, reliability
from models.metrics.labels import score_labels
from models.metrics.scores import Scores
from models.metrics.tags import score_tags
from models.schemas.agent import AdapterName

SCORERS: dict[AdapterName, Callable[[TaskAdapter, pa.Table, pa.Table], Scores]] = {
    "text_classification": score_labels,
    "token_classification": score_tags,
}

__all__ = ["SCORERS", "Scores", "calibration_error", "reliability", "score_counts"]
