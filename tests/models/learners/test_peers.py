"""Meta-gradients against TorchOpt and higher, which run in an environment of their own."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.peers import META_LEARNING, make_environment
from models.learners import EpisodeBatch, Learner, Params
from models.learners.imaml import IMAML
from models.learners.maml import MAML
from models.learners.network import ModuleNetwork

pytestmark = pytest.mark.system
SCRIPT = Path(__file__).parents[3] / "benchmarks" / "peer_gradients.py"
RATE, STRENGTH = 0.1, 2.0
"""What the script takes as well."""
HEAD = {"head.weight": "1.weight", "head.bias": "1.bias"}


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the interpreter of an environment with both peers."""
    return make_environment(tmp_path_factory.mktemp("peers"), *META_LEARNING)


@pytest.fixture(scope="module")
def peers(
    python: Path,
    network: ModuleNetwork,
    gaussians: Callable[..., EpisodeBatch],
    begun: Callable[..., Params],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, np.ndarray]:
    """Give the peers' gradients on the toy network and one episode."""
    params, folder = begun(MAML(head="learned", n_way=3), network), tmp_path_factory.mktemp("gradients")
    batch = gaussians(episodes=1)
    np.savez(
        folder / "in.npz",
        support=batch.support.inputs[0][0],
        support_targets=batch.support.targets[0],
        query=batch.query.inputs[0][0],
        query_targets=batch.query.targets[0],
        **{HEAD.get(name, f"0.{name}"): weight for name, weight in params.items()},
    )
    subprocess.run([str(python), str(SCRIPT), str(folder / "in.npz"), str(folder / "out.npz")], check=True)
    return dict(np.load(folder / "out.npz"))


@pytest.mark.parametrize(
    ("peer", "learner"),
    [
        ("higher", MAML(inner_lr=RATE, inner_steps=3, head="learned", n_way=3)),
        ("torchopt", MAML(inner_lr=RATE, inner_steps=3, head="learned", n_way=3)),
        (
            "torchopt_implicit",
            IMAML(inner_lr=RATE, inner_steps=400, strength=STRENGTH, cg_steps=40, head="learned", n_way=3),
        ),
    ],
    ids=["higher", "torchopt", "torchopt_implicit"],
)
def test_meta_gradients_are_those_of_the_peer(
    peers: dict[str, np.ndarray],
    peer: str,
    learner: Learner,
    network: ModuleNetwork,
    gaussians: Callable[..., EpisodeBatch],
    begun: Callable[..., Params],
):
    """The same network, episode and settings give the same meta-gradient up to 1e-5."""
    found = learner.meta_gradient(network, begun(learner, network), gaussians(episodes=1)).gradients
    for name, gradient in found.items():
        expected = peers[f"{peer}|{HEAD.get(name, f'0.{name}')}"]
        np.testing.assert_allclose(gradient.numpy(), expected, rtol=1e-5, atol=1e-5, err_msg=name)
