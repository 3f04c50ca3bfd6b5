"""Perturbations of embedded sub-words: how large they may be, where they begin, and how they grow.

What is done with the perturbed passes belongs to the objectives.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from models.batching import Batch
from models.networks import Network

_TINY = 1e-30
"""Keeps a gradient of nothing from being divided by nothing."""


class Neighbourhood:
    """The L2 ball around the embeddings of each window of a batch.

    A window's radius is `size` times the mean norm of its own embeddings. So `size` means the same for every
    encoder, and training can not escape by growing the embeddings, which is why Miyato et al. (2017,
    arXiv:1605.07725, sec. 3) normalize theirs.

    Args:
        network: Embeds the batch, without a gradient.
        batch: Windows; perturbations are 0 at padding.
        size: Radius in mean norms of an embedding.
    """

    def __init__(self, network: Network, batch: Batch, size: float) -> None:
        with torch.no_grad():
            embedded = network.pretrained.get_input_embeddings()(batch.input_ids)
        self._like = embedded
        mask = batch.attention_mask
        seen = torch.ones_like(embedded[..., 0]) if mask is None else mask.to(embedded.dtype)
        self._seen = seen.unsqueeze(-1)
        self._counts = seen.sum(1).clamp(min=1).view(-1, 1, 1)
        norms = (embedded.norm(dim=-1) * seen).sum(1).view(-1, 1, 1)
        self.radius = size * norms / self._counts
        """(windows, 1, 1)."""

    def center(self) -> Tensor:
        """Give the perturbation that is none, (windows, longest, dim), ready to be differentiated by."""
        return torch.zeros_like(self._like).requires_grad_()

    def draw(self) -> Tensor:
        """Draw a perturbation in the ball, ready to be differentiated by.

        Zhu et al. 2020, arXiv:1909.11764, Algorithm 1: U(-r, r) / sqrt(N) with N numbers in a window.
        """
        noise = torch.empty_like(self._like).uniform_(-1.0, 1.0) * self._seen
        scale = self.radius / (self._counts * self._like.shape[-1]).sqrt()
        drawn: Tensor = noise * scale
        return drawn.requires_grad_()

    def climb(self, delta: Tensor, gradient: Tensor | None, step: float) -> Tensor:
        """Move each window's perturbation along its gradient, and back into the ball if it has left.

        delta' = P(delta + step * radius * g / |g|), where P scales what is longer than the radius.

        Args:
            delta: Where the gradient was taken.
            gradient: Of the loss; a window without any stays where it is.
            step: Length of the step in radii.

        Raises:
            RuntimeError: Nobody went backward through a loss at `delta`.
        """
        if gradient is None:
            raise RuntimeError("The perturbation has no gradient: go backward through each term that comes.")
        ahead = gradient.detach() * self._seen
        moved = delta.detach() + step * self.radius * ahead / _length(ahead).clamp(min=_TINY)
        inside = (self.radius / _length(moved).clamp(min=_TINY)).clamp(max=1.0)
        back: Tensor = moved * inside
        return back.requires_grad_()


@contextmanager
def perturbed(network: Network, delta: Tensor) -> Iterator[None]:
    """Add `delta` (windows, longest, dim) to what the network embeds inside the block."""
    embedding = network.pretrained.get_input_embeddings()
    hook = embedding.register_forward_hook(lambda _module, _inputs, embedded: embedded + delta)
    try:
        yield
    finally:
        hook.remove()


def _length(delta: Tensor) -> Tensor:
    """Give the norm of each window's perturbation, (windows, 1, 1)."""
    length: Tensor = torch.linalg.vector_norm(delta.flatten(1), dim=1)
    return length.view(-1, 1, 1)
