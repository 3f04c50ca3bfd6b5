"""Which of a head's outputs stand among the labels of some windows."""

import numpy as np
import pyarrow as pa

from models.ragged import Ragged


def count_outputs(windows: pa.Table, outputs: int) -> np.ndarray:
    """Count how often each output is a label, (outputs,)."""
    counts = np.zeros(outputs, np.int64)
    # Chunk by chunk, since joining the chunks of a mapped file would copy it.
    for chunk in windows["labels"].chunks:
        labels = Ragged.from_column(chunk).values
        counts += np.bincount(labels[labels >= 0], minlength=outputs)
    return counts
