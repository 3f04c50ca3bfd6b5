"""What a drift check sees of a window: its texts, their embeddings, and what was predicted for them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.adapters import TaskAdapter
from models.metrics.scores import index_of
from models.ragged import Ragged


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


def texts_of(rows: pa.Table) -> list[str]:
    """Give each row as a text; tokens are joined by spaces."""
    column = rows["text"] if "text" in rows.column_names else pc.binary_join(rows["tokens"], " ")
    texts: list[str] = pc.fill_null(column, "").to_pylist()
    return texts


def count_labels(adapter: TaskAdapter, predictions: pa.Table) -> np.ndarray:
    """Count the predicted classes or entities of each row, (rows, labels) in the order of `labels`.

    What a champion of an earlier label set predicts besides is not counted.
    """
    labels = adapter.config.labels
    counts = np.zeros((predictions.num_rows, len(labels) + 1), dtype=np.int64)
    if "label" in predictions.column_names:
        counts[np.arange(len(counts)), index_of(predictions["label"], labels)] = 1
        return counts[:, :-1]
    owners = Ragged.from_column(predictions["tags"]).owners
    tags = index_of(pc.list_flatten(predictions["tags"]), adapter.outputs)
    # B- of type i is output 2i + 1, and every entity has one.
    begins = tags % 2 == 1
    np.add.at(counts, (owners[begins], tags[begins] // 2), 1)
    return counts[:, :-1]
