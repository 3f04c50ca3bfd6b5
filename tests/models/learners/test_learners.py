"""What single learners promise beyond the contract."""

from collections.abc import Callable

import pytest
import torch

from models.errors import ConfigError
from models.learners import EpisodeBatch, Params, Shots
from models.learners.anil import ANIL
from models.learners.imaml import conjugate_gradient
from models.learners.maml import MAML
from models.learners.meta_sgd import MetaSGD
from models.learners.network import ModuleNetwork
from models.learners.prototypical import Prototypical
from models.learners.ridge import Ridge


def _by_hand() -> EpisodeBatch:
    """Two classes on a line: 0 and 2 against 10; queries at 3 and 8."""
    support = Shots((torch.tensor([[[0.0], [2.0], [10.0]]]),), torch.tensor([[0, 0, 1]]))
    return EpisodeBatch(support, Shots((torch.tensor([[[3.0], [8.0]]]),), torch.tensor([[0, 1]])), 2)


def test_prototypes_by_hand(bare: Callable[..., ModuleNetwork]):
    """Prototypes are 1 and 10, so squared distances are 4 and 49 at 3, and 49 and 4 at 8."""
    learner, network = Prototypical(scale=1.0), bare(1, "class")
    scores = learner.predict(network, learner.begin(network), _by_hand())
    torch.testing.assert_close(scores, torch.tensor([[[-4.0, -49.0], [-49.0, -4.0]]]))


def test_prototypical_loss_by_hand(bare: Callable[..., ModuleNetwork]):
    """With distances scaled by 1/45 the loss of both queries is log(1 + exp(-1))."""
    learner, network = Prototypical(scale=1 / 45), bare(1, "class")
    found = learner.meta_gradient(network, learner.begin(network), _by_hand()).loss
    torch.testing.assert_close(found, torch.tensor(0.3132617))


def test_a_head_from_prototypes_is_the_prototypical_network(
    network: ModuleNetwork, gaussians: Callable[..., EpisodeBatch], begun: Callable[..., Params]
):
    """Before its first step such a head gives the same probabilities as distances to prototypes."""
    batch = gaussians()
    still = MAML(inner_lr=1e-30, inner_steps=1, scale=3.0)
    distances = Prototypical(scale=3.0)
    params = {name: w.double() for name, w in still.begin(network).items()}
    torch.testing.assert_close(
        still.predict(network, params, batch).softmax(-1),
        distances.predict(network, params, batch).softmax(-1),
    )


@pytest.mark.parametrize("shots", [1, 2])
def test_ridge_is_the_textbook_solution(
    shots: int,
    network: ModuleNetwork,
    gaussians: Callable[..., EpisodeBatch],
    begun: Callable[..., Params],
):
    """Three rows (Woodbury's form) and six rows of four features both give (X^T X + lambda I)^-1 X^T Y."""
    learner, batch = Ridge(penalty=0.3), gaussians(k_shot=shots, episodes=1)
    params = begun(learner, network)
    support = Shots((batch.support.inputs[0][0],), batch.support.targets[0])
    x = network.features(params, support.inputs)
    y = torch.eye(3, dtype=torch.float64)[support.targets]
    expected = torch.linalg.solve(x.T @ x + 0.3 * torch.eye(4, dtype=torch.float64), x.T @ y)
    torch.testing.assert_close(learner.adapt(network, params, support, 3)["ridge.weight"], expected)


def test_anil_leaves_the_body_as_it_is(
    network: ModuleNetwork, gaussians: Callable[..., EpisodeBatch], begun: Callable[..., Params]
):
    """What adapts is the head alone."""
    learner = ANIL(inner_lr=0.5)
    batch = gaussians(episodes=1)
    support = Shots((batch.support.inputs[0][0],), batch.support.targets[0])
    assert set(learner.adapt(network, begun(learner, network), support, 3)) == {"head.weight", "head.bias"}


def test_multi_step_losses_move_to_the_last_step():
    """All steps count alike at first, then 3 % of that is left of the early ones, then the last alone."""
    learner = MetaSGD(inner_steps=4, annealed=0.5)
    assert learner.importance(0.0) == pytest.approx((0.25,) * 4)
    late = learner.importance(0.499)
    assert late[:3] == pytest.approx((0.0075,) * 3)
    assert sum(late) == pytest.approx(1)
    assert learner.importance(0.5) == (0, 0, 0, 1)


def test_a_learned_head_refuses_another_number_of_classes(
    network: ModuleNetwork, gaussians: Callable[..., EpisodeBatch]
):
    """The message says both numbers and what to do."""
    learner = MAML(head="learned", n_way=5)
    with pytest.raises(ConfigError, match=r"has 5 classes and the episode 3\. Keep n_way"):
        learner.predict(network, learner.begin(network), gaussians())


def test_a_network_without_a_learned_weight_is_refused():
    """A choice of names that leaves nothing to learn is an error at once."""
    with pytest.raises(ConfigError, match="No weight is chosen"):
        ModuleNetwork(torch.nn.Linear(2, 2), 2, lambda name: name == "nothing")


def test_conjugate_gradient_stays_at_the_solution():
    """Steps past the solution change nothing and divide nothing by zero."""
    matrix = torch.tensor([[4.0, 1.0], [1.0, 3.0]], dtype=torch.float64)
    right = torch.tensor([1.0, 2.0], dtype=torch.float64)
    found = conjugate_gradient(lambda x: {"x": matrix @ x["x"]}, {"x": right}, 20)["x"]
    torch.testing.assert_close(found, torch.linalg.solve(matrix, right))


def test_conjugate_gradient_does_not_go_where_a_matrix_is_not_positive():
    """Along such a direction a step would go up, however far."""
    matrix = torch.tensor([[1.0, 0.0], [0.0, -1.0]], dtype=torch.float64)
    right = torch.tensor([0.0, 1.0], dtype=torch.float64)
    found = conjugate_gradient(lambda x: {"x": matrix @ x["x"]}, {"x": right}, 5)["x"]
    torch.testing.assert_close(found, torch.zeros(2, dtype=torch.float64))


@pytest.mark.parametrize("kind", [MAML, ANIL, MetaSGD])
def test_inner_steps_lower_the_support_s_loss(
    kind: type[MAML],
    network: ModuleNetwork,
    gaussians: Callable[..., EpisodeBatch],
    begun: Callable[..., Params],
):
    """From a head of zeros, which knows nothing, adapting makes the support mostly right."""
    learner, batch = kind(inner_lr=1.0, inner_steps=30, head="zeros"), gaussians(k_shot=5, episodes=8)
    again = EpisodeBatch(batch.support, batch.support, batch.n_way)
    right = learner.predict(network, begun(learner, network), again).argmax(-1) == batch.support.targets
    assert right.double().mean() > 0.9
