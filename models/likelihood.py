"""How likely a network that writes holds the true answers."""

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from models.adapters.base import IGNORED
from models.batching import Batch, Collator, plan_batches
from models.kernels import fast_linears
from models.networks import Network
from models.window_reader import Layout


@torch.inference_mode()
def surprise(model: Network, windows: pa.Table, pad_id: int, tokens_per_batch: int) -> np.ndarray:
    """Add up the negative log-likelihood of each window's true answer, and count its sub-words.

    Args:
        model: Put into evaluation mode for the call and back after it.
        windows: Windows with labels.
        pad_id: Sub-word that pads.
        tokens_per_batch: Most sub-words in a batch, padding included.

    Returns:
        (windows, 2): nats and sub-words.
    """
    collate = Collator(
        windows, pad_id, Layout(left=model.pads_left, apart=model.writes and not model.pads_left)
    )
    device = next(model.parameters()).device
    was_training = model.training
    found = np.zeros((windows.num_rows, 2))
    model.eval()
    try:
        with fast_linears(model):
            for positions in plan_batches(collate.lengths, max(1, tokens_per_batch), 0, 0):
                batch = collate(positions).to(device)
                if batch.targets:
                    found[positions] = _surprise(model, batch)
    finally:
        model.train(was_training)
    return found


def _surprise(model: Network, batch: Batch) -> np.ndarray:
    """Give nats and sub-words of each window of a batch, (windows, 2)."""
    counts = batch.labels != IGNORED
    scores: Tensor = model(**batch.inputs(model.wants))
    nats = torch.nn.functional.cross_entropy(scores.float(), batch.labels[counts], reduction="none")
    each = torch.zeros(counts.shape, dtype=torch.float64, device=nats.device)
    each[counts] = nats.double()
    sums: np.ndarray = torch.stack([each.sum(1), counts.sum(1).double()], dim=1).cpu().numpy()
    return sums
