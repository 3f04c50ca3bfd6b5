"""Scores where the answer is one BIO tag a word: entities by seqeval, the confusion matrix by word."""

from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from seqeval.metrics.v1 import classification_report
from seqeval.scheme import IOB2

from models.adapters import TaskAdapter
from models.metrics.bootstrap import precision, recall, score_counts
from models.metrics.scores import Scores, confusion_matrix, index_of


def score_tags(adapter: TaskAdapter, rows: pa.Table, predictions: pa.Table) -> Scores:
    """Score entity F1, precision and recall (strict IOB2), each entity type, words and confidence.

    Args:
        adapter: The agent's task adapter.
        rows: Held-out rows with `tags`.
        predictions: `tags` and `confidences` for the same rows.
    """
    counts, seed = adapter.outcomes(rows, predictions).counts, adapter.config.seed
    truth = index_of(pc.list_flatten(rows["tags"]), adapter.outputs)
    predicted = index_of(pc.list_flatten(predictions["tags"]), adapter.outputs)
    names = ("O", *adapter.config.labels)
    # B- and I- of type i are outputs 2i + 1 and 2i + 2.
    lines, confusion = confusion_matrix((truth + 1) // 2, (predicted + 1) // 2, names)
    return Scores(
        metrics={
            "f1": score_counts(counts, seed),
            "precision": score_counts(counts, seed, precision),
            "recall": score_counts(counts, seed, recall),
        },
        per_label=_per_type(rows, predictions, adapter.config.labels),
        confusion_labels=lines,
        confusion=confusion,
        confidence=np.asarray(pc.list_flatten(predictions["confidences"])),
        right=truth == predicted,
    )


def _per_type(rows: pa.Table, predictions: pa.Table, types: tuple[str, ...]) -> dict[str, dict[str, float]]:
    truth, predicted = rows["tags"].to_pylist(), predictions["tags"].to_pylist()
    none = {"precision": 0.0, "recall": 0.0, "f1-score": 0.0, "support": 0.0}
    report: dict[str, Any] = {}
    # seqeval fails where neither side has an entity.
    if any(tag != "O" for tags in (*truth, *predicted) for tag in tags):
        options: dict[str, Any] = {"output_dict": True, "scheme": IOB2, "zero_division": 0}
        report = cast("dict[str, Any]", classification_report(truth, predicted, **options))
    keys = {"precision": "precision", "recall": "recall", "f1": "f1-score", "rows": "support"}
    return {
        name: {key: float(report.get(name, none)[theirs]) for key, theirs in keys.items()} for name in types
    }
