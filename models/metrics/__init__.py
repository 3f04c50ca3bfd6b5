"""Scores with intervals. An adapter names its scorer; a new one is a file and a line in SCORERS."""

from collections.abc import Callable

import pyarrow as pa

from models.adapters import TaskAdapter
from models.metrics.answers import score_answers
from models.metrics.bootstrap import score_counts
from models.metrics.calibration import calibration_error, reliability
from models.metrics.choices import score_choices
from models.metrics.label_sets import score_label_sets
from models.metrics.labels import score_labels
from models.metrics.scores import Scores
from models.metrics.states import score_states
from models.metrics.tags import score_tags
from models.metrics.texts import score_texts
from models.metrics.triples import score_triples

SCORERS: dict[str, Callable[[TaskAdapter, pa.Table, pa.Table], Scores]] = {
    "answers": score_answers,
    "labels": score_labels,
    "label_sets": score_label_sets,
    "choices": score_choices,
    "triples": score_triples,
    "tags": score_tags,
    "states": score_states,
    "texts": score_texts,
}

__all__ = ["SCORERS", "Scores", "calibration_error", "reliability", "score_counts"]
