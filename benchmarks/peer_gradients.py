"""Meta-gradients of TorchOpt and higher, for an environment in which they are installed beside torch.

`python peer_gradients.py IN.npz OUT.npz`: reads weights and one episode, writes each peer's meta-gradients.
Nothing of ours is imported here, so that nothing of ours can be what makes them agree.
"""

import sys

import higher
import numpy as np
import torch
import torchopt
from torch import nn

RATE, STEPS, STRENGTH = 0.1, 3, 2.0
SOLVE_STEPS = 400
Arrays = dict[str, np.ndarray]


def network(weights: Arrays) -> nn.Module:
    """Build the network that both sides know: two layers, tanh between, and a linear head."""
    body = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 4))
    model = nn.Sequential(body, nn.Linear(4, 3)).double()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(torch.from_numpy(weights[name]))
    return model


def loss_of(model: nn.Module, rows: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Give the mean cross-entropy."""
    return nn.functional.cross_entropy(model(rows), targets)


def by_higher(weights: Arrays, episode: dict[str, torch.Tensor]) -> list[torch.Tensor]:
    """Differentiate through SGD steps with higher (MAML)."""
    model = network(weights)
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    with higher.innerloop_ctx(model, optimizer, copy_initial_weights=False) as (fast, steps):
        for _ in range(STEPS):
            steps.step(loss_of(fast, episode["support"], episode["support_targets"]))
        loss = loss_of(fast, episode["query"], episode["query_targets"])
        return list(torch.autograd.grad(loss, list(model.parameters())))


def by_torchopt(weights: Arrays, episode: dict[str, torch.Tensor]) -> list[torch.Tensor]:
    """Differentiate through SGD steps with TorchOpt (MAML)."""
    model = network(weights)
    start = list(model.parameters())
    optimizer = torchopt.MetaSGD(model, lr=RATE)
    for _ in range(STEPS):
        optimizer.step(loss_of(model, episode["support"], episode["support_targets"]))
    loss = loss_of(model, episode["query"], episode["query_targets"])
    return list(torch.autograd.grad(loss, start))


def by_torchopt_implicit(weights: Arrays, episode: dict[str, torch.Tensor]) -> list[torch.Tensor]:
    """Differentiate the inner optimum with TorchOpt's implicit gradients (iMAML)."""
    meta = network(weights)
    solver = torchopt.linear_solve.solve_normal_cg(maxiter=SOLVE_STEPS, atol=1e-14, rtol=1e-14)

    class Inner(torchopt.nn.ImplicitMetaGradientModule, linear_solve=solver):
        # TorchOpt takes what its constructor is handed for the meta-parameters.
        def __init__(self, meta: nn.Module) -> None:
            super().__init__()
            self.meta = meta
            self.net = torchopt.module_clone(meta, by="deepcopy", detach_buffers=True)

        def objective(self, rows: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
            pairs = zip(self.net.parameters(), self.meta.parameters(), strict=True)
            apart = sum(((x - y) ** 2).sum() for x, y in pairs)
            return loss_of(self.net, rows, targets) + STRENGTH / 2 * apart

        def solve(self, rows: torch.Tensor, targets: torch.Tensor) -> "Inner":
            own = list(self.net.parameters())
            with torch.enable_grad():
                for _ in range(SOLVE_STEPS):
                    slopes = torch.autograd.grad(self.objective(rows, targets), own)
                    with torch.no_grad():
                        for weight, slope in zip(own, slopes, strict=True):
                            weight.sub_(RATE * slope)
            return self

    inner = Inner(meta).solve(episode["support"], episode["support_targets"])
    loss = loss_of(inner.net, episode["query"], episode["query_targets"])
    return list(torch.autograd.grad(loss, list(meta.parameters())))


PEERS = {"higher": by_higher, "torchopt": by_torchopt, "torchopt_implicit": by_torchopt_implicit}


def main() -> None:
    """Read, differentiate, write."""
    given = dict(np.load(sys.argv[1]))
    episode = {name: torch.from_numpy(given.pop(name)) for name in list(given) if not name[0].isdigit()}
    names = [name for name, _ in network(given).named_parameters()]
    found = {
        f"{peer}|{name}": gradient.numpy()
        for peer, differentiate in PEERS.items()
        for name, gradient in zip(names, differentiate(given, episode), strict=True)
    }
    np.savez(sys.argv[2], **found)


if __name__ == "__main__":
    main()
