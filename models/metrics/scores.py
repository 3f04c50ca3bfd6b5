"""What every task type's metrics amount to."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.schemas import Metric

ANOTHER = "(another label)"


@dataclass(frozen=True)
class Scores:
    """Scores of predictions, and what the pictures need.

    Args:
        metrics: Overall scores with intervals.
        per_label: Precision, recall, F1 and rows (or entities) of each label.
        confusion_labels: Names of the confusion matrix's lines and columns.
        confusion: (labels, labels) counts, truth by prediction.
        confidence: (answers,) how sure each answer was, 0-1.
        right: (answers,) bool, or how close each was (fraction, 0-1); an answer is a row or a token.
    """

    metrics: dict[str, Metric]
    per_label: dict[str, dict[str, float]]
    confusion_labels: tuple[str, ...]
    confusion: np.ndarray
    confidence: np.ndarray
    right: np.ndarray


def index_of(values: pa.Array | pa.ChunkedArray, names: tuple[str, ...]) -> np.ndarray:
    """Give each value's place in `names`, (values,) int64; `len(names)` for a value that is none of them."""
    places = pc.fill_null(pc.index_in(values, value_set=pa.array(names, pa.string())), len(names))
    indices: np.ndarray = places.to_numpy().astype(np.int64)
    return indices


def confusion_matrix(
    truth: np.ndarray, predicted: np.ndarray, names: tuple[str, ...]
) -> tuple[tuple[str, ...], np.ndarray]:
    """Count pairs of true and predicted label.

    Args:
        truth: (answers,) places in `names`.
        predicted: (answers,) likewise; `len(names)` where a model of another label set gave another label.
        names: The labels.

    Returns:
        The labels, ANOTHER after them if it was predicted, and (labels, labels) int64 counts.
    """
    lines = (*names, ANOTHER) if (predicted == len(names)).any() else names
    size = len(lines)
    cells = np.bincount(truth * size + predicted, minlength=size * size)
    return lines, cells.reshape(size, size).astype(np.int64)
