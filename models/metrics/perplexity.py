"""Perplexity with an interval; how likely texts are is told by those who hold the model."""

import numpy as np
import pyarrow as pa

from models.metrics.bootstrap import interval
from models.schemas import Metric


def perplexity(table: pa.Table, seed: int) -> Metric:
    """Give exp of the mean negative log-likelihood of a target, with its 95 % interval over rows.

    Args:
        table: `nll`, the sum of each row in nats, and `targets`, over how many sub-words that is.
        seed: Seed of the resampling.
    """
    kinds = np.stack([table["nll"].to_numpy(), table["targets"].to_numpy().astype(np.float64)], axis=1)

    def statistic(sums: np.ndarray) -> np.ndarray:
        found: np.ndarray = np.exp(sums[..., 0] / np.maximum(sums[..., 1], 1))
        return found

    return interval(kinds, np.ones(len(kinds), np.int64), statistic, seed)
