"""How likely a network that writes holds the true answers."""

import math

import numpy as np
import pyarrow as pa
import torch

from models.adapters import TaskAdapter
from models.kernels import fast_linears
from models.networks import Network
from models.training.batching import Collator, plan_batches
from models.window_reader import Layout


@torch.inference_mode()
def likelihood(
    model: Network, adapter: TaskAdapter, windows: pa.Table, pad_id: int, tokens_per_batch: int
) -> float:
    """Give exp(-mean loss) over the sub-words to write: 1 / perplexity (fraction, 0-1).

    Args:
        model: Put into evaluation mode for the call and back after it.
        adapter: Its loss is the mean over a batch's targets.
        windows: Windows with labels.
        pad_id: Sub-word that pads.
        tokens_per_batch: Most sub-words in a batch, padding included.
    """
    collate = Collator(windows, pad_id, Layout(left=model.pads_left))
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    sums = np.zeros(2)
    try:
        with fast_linears(model):
            for positions in plan_batches(collate.lengths, max(1, tokens_per_batch), 0, 0):
                batch = collate(positions).to(device)
                if batch.targets:
                    loss = adapter.loss(model(**batch.inputs(model.wants)), batch.labels).item()
                    sums += (loss * batch.targets, batch.targets)
    finally:
        model.train(was_training)
    return math.exp(-sums[0] / max(1.0, sums[1]))
