"""Learn changes of low rank in the place of whole weight matrices."""

import torch
from torch import Tensor

from models.learners import Inputs, Network, Params
from models.learners.base import View

_IN, _OUT = ".low_rank.a", ".low_rank.b"


class LowRank(View):
    """A network whose meta-parameters are the two thin factors of each matrix's change.

    Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", 2022, arXiv:2106.09685, eq. 3: W = W_0 +
    B A, with A (rank, in) random and B (out, rank) zero at the beginning; their scale alpha / rank is 1 here.
    Since weights are handed to a network as arguments, nothing is put into its module.

    Args:
        network: Its meta-parameters are the matrices W_0 that are changed, each (out, in).
        rank: Rows of A.
        seed: Seed of A.
        fixed: The matrices W_0 where they are not those of `network`.
    """

    def __init__(self, network: Network, rank: int, seed: int = 0, fixed: Params | None = None) -> None:
        super().__init__(network)
        self._rank, self._seed = rank, seed
        self._fixed = network.parameters if fixed is None else fixed
        generator = torch.Generator().manual_seed(seed)
        self._factors: Params = {}
        for name, weight in self._fixed.items():
            rows, columns = weight.shape
            first = torch.randn(rank, columns, generator=generator, dtype=weight.dtype) / columns**0.5
            self._factors[name + _IN] = first.to(weight.device)
            self._factors[name + _OUT] = weight.new_zeros(rows, rank)

    @property
    def parameters(self) -> Params:
        """Give both factors of every change."""
        return dict(self._factors)

    def weights(self, params: Params) -> Params:
        """Give the matrices with their changes added."""
        return {name: weight + _change(name, params) for name, weight in self._fixed.items()}

    def features(self, params: Params, inputs: Inputs) -> Tensor:
        """Give (items, dim) by the changed matrices, or by those that `params` holds already."""
        merged = params if params.keys() >= self._fixed.keys() else params | self.weights(params)
        return self._network.features(merged, inputs)

    def around(self, params: Params) -> "LowRank":
        """Take the matrices as ones that hold these changes already, as a stored start's do."""
        fixed = {name: weight - _change(name, params) for name, weight in self._fixed.items()}
        return LowRank(self._network, self._rank, self._seed, fixed)


def _change(name: str, params: Params) -> Tensor:
    return params[name + _OUT] @ params[name + _IN]
