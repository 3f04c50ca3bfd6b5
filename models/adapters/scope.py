"""Telling rows that are none of the classes: out-of-scope is an output whose score is the same for all rows.

A row is taken for out of scope where that score is above every class's. How far the classes' best score
lies above it is a row's margin; the threshold on margins is a shift of that one score.
"""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor


def margins(scores: np.ndarray, place: int) -> np.ndarray:
    """Give how far the best class lies above out-of-scope, (rows,).

    It is the maximum logit of Hendrycks et al., "Scaling Out-of-Distribution Detection for Real-World
    Settings", 2022, arXiv:1911.11132, less a constant.

    Args:
        scores: (rows, outputs) logits or log-probabilities.
        place: Which of the outputs is out-of-scope.
    """
    found: np.ndarray = np.delete(scores, place, axis=1).max(axis=1) - scores[:, place]
    return found


def threshold(in_scope: np.ndarray, share: float) -> float:
    """Give the margin that at least this share of the classes' rows lies above.

    Args:
        in_scope: (rows,) margins of rows that are of a class; one or more.
        share: Share that has to pass (fraction, 0-1).
    """
    ordered = np.sort(in_scope)
    first = int(np.floor(len(ordered) * (1.0 - share)))
    below = ordered[first - 1] if first else ordered[0] - 2.0
    return float((below + ordered[first]) / 2)


def with_constant(scores: "Tensor", place: int) -> "Tensor":
    """Hold out-of-scope's score at 0 while the classes are learned.

    Rows out of scope then push every class below 0, and those of a class push it above.

    Args:
        scores: (windows, outputs).
        place: Which of the outputs is out-of-scope.
    """
    import torch

    held = torch.arange(scores.shape[-1], device=scores.device) == place
    return scores.masked_fill(held, 0.0)
