"""The batches of a pretraining: each step's blocks and masks follow from the seed and its number alone."""

from collections.abc import Iterator

import numpy as np
import torch

from models.batching import Batch, prefetched
from models.pretrain.blocks import Blocks
from models.pretrain.objectives import Objective

_ORDER, _MASKS = 0, 1


class BatchStream:
    """Blocks in an order of their own each epoch, and fresh masks each time.

    Args:
        blocks: The packed texts.
        objective: What is predicted from what.
        vocabulary: Rows of the model's table of sub-words.
        parts: Least parts of a batch that go through the model one after the other.
        device: Where the model is.
    """

    def __init__(
        self, blocks: Blocks, objective: Objective, vocabulary: int, parts: int, device: torch.device
    ) -> None:
        self._blocks, self._objective, self._device = blocks, objective, device
        self._seed = objective.config.seed
        self._size = max(1, objective.config.tokens_per_batch // objective.config.block_length)
        needed = -(-self._size * objective.config.block_length // objective.tokens_at_once(vocabulary))
        self._parts = max(parts, needed)
        self._order: tuple[int, np.ndarray] = (-1, np.zeros(0, np.int64))

    @property
    def steps_an_epoch(self) -> int:
        """Give how many batches hold all blocks once."""
        return -(-len(self._blocks) // self._size)

    def batches(self, first: int, last: int) -> Iterator[list[Batch]]:
        """Give the batches of these steps, in parts; a thread makes the next while one is used."""
        return prefetched(range(first, last), self._batch)

    def _batch(self, step: int) -> list[Batch]:
        epoch, place = divmod(step, self.steps_an_epoch)
        if self._order[0] != epoch:
            shuffled = np.random.default_rng([self._seed, _ORDER, epoch]).permutation(len(self._blocks))
            self._order = epoch, shuffled
        numbers = self._order[1][place * self._size : (place + 1) * self._size]
        rng = np.random.default_rng([self._seed, _MASKS, step])
        return [self._part(chosen, rng) for chosen in np.array_split(numbers, min(self._parts, len(numbers)))]

    def _part(self, numbers: np.ndarray, rng: np.random.Generator) -> Batch:
        ids = self._blocks.read(numbers)
        return self._objective.batch(ids, self._objective.choose(ids, rng), rng).to(self._device)
