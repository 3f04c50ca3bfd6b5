"""What a drift check sees of a window: its texts, their embeddings, and what was predicted for them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.adapters import TaskAdapter
from models.metrics.scores import index_of


@dataclass(frozen=True)
class Window:
    """Rows of one window.

    Args:
        texts: (rows,) what a person reads.
        embeddings: (rows, dim) by the frozen encoder.
        label_counts: (rows, labels) how often each label was predicted in each row.
    """

    texts: Sequence[str]
    embeddings: np.ndarray
    label_counts: np.ndarray

    @property
    def rows(self) -> int:
        """Count the rows."""
        return len(self.embeddings)


def texts_of(adapter: TaskAdapter, rows: pa.Table) -> list[str]:
    """Give each row as a text."""
    texts: list[str] = pc.fill_null(adapter.texts(rows), "").to_pylist()
    return texts


def count_labels(adapter: TaskAdapter, predictions: pa.Table) -> np.ndarray:
    """Count the predicted labels of each row, (rows, labels) in the order of `labels`.

    What a champion of an earlier label set predicts besides is not counted.
    """
    labels = adapter.config.labels
    counts = np.zeros((predictions.num_rows, len(labels) + 1), dtype=np.int64)
    found = adapter.labels_of(predictions)
    np.add.at(counts, (found["row"].to_numpy(), index_of(found["label"], labels)), 1)
    return counts[:, :-1]
