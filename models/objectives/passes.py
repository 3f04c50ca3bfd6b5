"""Several passes of one batch through the same thinned network."""

import torch
from torch import Tensor

from models.batching import Batch
from models.networks import Network
from models.objectives.base import scores_of
from models.objectives.neighbourhood import perturbed


class Passes:
    """Passes of one batch that all draw the same dropout masks.

    A perturbation is then judged by the network that it was made against: Zhu et al. 2020,
    arXiv:1909.11764, sec. 3.3. Whatever is drawn at random beside dropout must be drawn before.

    Args:
        network: Scores the batch.
        batch: Some windows.
    """

    def __init__(self, network: Network, batch: Batch) -> None:
        self._network, self._batch = network, batch
        self._cpu = torch.get_rng_state()
        ids = batch.input_ids
        self._gpu = torch.cuda.get_rng_state(ids.device) if ids.is_cuda else None

    def scores(self, delta: Tensor | None = None) -> Tensor:
        """Score the batch, its embeddings moved by `delta` (windows, longest, dim) if there is one."""
        torch.set_rng_state(self._cpu)
        if self._gpu is not None:
            torch.cuda.set_rng_state(self._gpu, self._batch.input_ids.device)
        if delta is None:
            return scores_of(self._network, self._batch)
        with perturbed(self._network, delta):
            return scores_of(self._network, self._batch)
