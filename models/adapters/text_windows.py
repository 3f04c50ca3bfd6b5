"""Windows of whole texts, each with the labels of its row."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.adapters.base import ENCODED_SCHEMA, Encoding
from models.adapters.windows import cut_windows
from models.ragged import Ragged
from models.schemas import AgentConfig

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def encode_texts(
    texts: pa.ChunkedArray,
    labels: np.ndarray,
    tokenizer: "PreTrainedTokenizerBase",
    config: AgentConfig,
    first_row: int,
) -> Encoding:
    """Tokenize texts; one that leaves no sub-word gets no window and is counted.

    Args:
        texts: (rows,) nulls count as empty.
        labels: (rows, labels a row) what every window of a row carries.
        tokenizer: What cuts them.
        config: Says how long a window is.
        first_row: Where `row` begins to count.
    """
    windows = cut_windows(pc.fill_null(texts.combine_chunks(), "").to_pylist(), tokenizer, config)
    usable = np.bincount(windows.ids.owners, windows.words >= 0, len(windows.rows)) > 0
    row = windows.rows[usable]
    each = np.full(len(row), labels.shape[1])
    table = pa.table(
        [
            pa.array(row + first_row, pa.int64()),
            windows.ids.keep(usable).to_arrow(pa.int32()),
            Ragged.from_lengths(labels[row].ravel(), each).to_arrow(pa.int32()),
            Ragged.from_lengths(labels[:0].ravel(), 0 * each).to_arrow(pa.int32()),
        ],
        schema=ENCODED_SCHEMA,
    )
    lost = len(texts) - len(np.unique(row))
    return Encoding(table, {"text without sub-words": lost} if lost else {})


def mean_scores(values: Sequence[np.ndarray], rows: np.ndarray, count: int, outputs: int) -> np.ndarray:
    """Average the windows' scores by row, (count, outputs) float64; 0 where a row has no window.

    Args:
        values: (outputs,) scores of each window.
        rows: (windows,) the row of each.
        count: Number of rows.
        outputs: Number of scores.
    """
    scores = np.zeros((count, outputs))
    if len(values):
        np.add.at(scores, rows, np.stack(values).astype(np.float64))
        scores /= np.maximum(np.bincount(rows, minlength=count), 1)[:, None]
    return scores
