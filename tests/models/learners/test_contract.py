"""What holds for every learner; a new one joins by a line in LEARNERS and its settings here."""

import copy
from collections.abc import Callable

import pytest
import torch

from models import kernels
from models.adapters.base import IGNORED
from models.errors import ConfigError
from models.learners import LEARNERS, EpisodeBatch, Learner, Params, Shots
from models.learners.network import ModuleNetwork

SETTINGS: dict[str, dict[str, object]] = {
    "anil": {"inner_lr": 0.5, "inner_steps": 3, "scale": 1.0},
    "fine_tune": {"inner_lr": 0.1, "inner_steps": 3, "scale": 1.0},
    "imaml": {"inner_lr": 0.1, "inner_steps": 5, "scale": 1.0},
    "maml": {"inner_lr": 0.1, "inner_steps": 3, "scale": 1.0},
    "meta_sgd": {"inner_lr": 0.1, "inner_steps": 3, "scale": 1.0},
    "prototypical": {"scale": 1.0},
    "reptile": {"inner_lr": 0.1, "inner_steps": 3, "scale": 1.0},
    "ridge": {"scale": 1.0},
}


@pytest.fixture(params=list(LEARNERS))
def learner(request: pytest.FixtureRequest) -> Learner:
    """Give each learner in turn."""
    return LEARNERS[request.param](**SETTINGS[request.param])


@pytest.fixture
def params(learner: Learner, network: ModuleNetwork, begun: Callable[..., Params]) -> Params:
    """Give the learner's meta-parameters before any step."""
    return begun(learner, network)


def _close(found: Params, expected: Params) -> None:
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(
            found[name], value, rtol=1e-7, atol=1e-9, msg=lambda m, n=name: f"{n}: {m}"
        )


def test_every_meta_parameter_gets_a_finite_gradient(
    learner: Learner, network: ModuleNetwork, params: Params, gaussians: Callable[..., EpisodeBatch]
):
    """A meta-gradient has the names and shapes of the meta-parameters, and no value is lost."""
    found = learner.meta_gradient(network, params, gaussians())
    assert {name: g.shape for name, g in found.gradients.items()} == {n: w.shape for n, w in params.items()}
    assert all(g.isfinite().all() and not g.requires_grad for g in found.gradients.values())
    assert found.loss.isfinite()


def test_some_weight_of_the_body_moves(
    learner: Learner, network: ModuleNetwork, params: Params, gaussians: Callable[..., EpisodeBatch]
):
    """The gradient of the body is not nothing."""
    found = learner.meta_gradient(network, params, gaussians()).gradients
    assert any(found[name].abs().max() > 1e-6 for name in network.parameters)


def test_predictions_have_a_score_for_each_class(
    learner: Learner, network: ModuleNetwork, params: Params, gaussians: Callable[..., EpisodeBatch]
):
    """Scores are (episodes, items, n_way)."""
    assert learner.predict(network, params, gaussians()).shape == (2, 12, 3)


def test_the_linear_head_scores_as_the_learner_does(
    learner: Learner, network: ModuleNetwork, params: Params, gaussians: Callable[..., EpisodeBatch]
):
    """Weight and bias over the adapted body's features tell the same classes, as surely."""
    support, query = _only(gaussians(episodes=1), 0).support, _only(gaussians(episodes=1), 0).query
    support, query = (Shots(tuple(x[0] for x in s.inputs), s.targets[0]) for s in (support, query))
    adapted = learner.adapt(network, params, support, 3)
    weight, bias = learner.linear_head(params, adapted)
    linear = network.features(params | adapted, query.inputs) @ weight.T + bias
    expected = learner.scores(network, params, adapted, query.inputs)
    torch.testing.assert_close(linear.softmax(-1), expected.softmax(-1), rtol=1e-7, atol=1e-9)


def test_episodes_together_are_episodes_one_by_one(
    learner: Learner, network: ModuleNetwork, params: Params, gaussians: Callable[..., EpisodeBatch]
):
    """The gradient of a batch is the mean of its episodes' own gradients."""
    batch = gaussians(episodes=3)
    together = learner.meta_gradient(network, params, batch).gradients
    apart = [learner.meta_gradient(network, params, _only(batch, i)).gradients for i in range(3)]
    _close(together, {name: sum(g[name] for g in apart) / 3 for name in together})


def _only(batch: EpisodeBatch, place: int) -> EpisodeBatch:
    one = slice(place, place + 1)
    sides = (Shots((s.inputs[0][one],), s.targets[one]) for s in (batch.support, batch.query))
    return EpisodeBatch(*sides, batch.n_way)


def test_nothing_that_came_in_is_changed(
    learner: Learner, network: ModuleNetwork, params: Params, gaussians: Callable[..., EpisodeBatch]
):
    """Meta-parameters and episodes are as they were."""
    batch, kept = gaussians(), {name: w.clone() for name, w in params.items()}
    rows = batch.support.inputs[0].clone()
    learner.meta_gradient(network, params, batch)
    learner.predict(network, params, batch)
    _close(params, kept)
    assert torch.equal(batch.support.inputs[0], rows)


def test_the_same_twice_is_the_same(
    learner: Learner, network: ModuleNetwork, params: Params, gaussians: Callable[..., EpisodeBatch]
):
    """Two calls give the same bits."""
    first, second = (learner.meta_gradient(network, params, gaussians()).gradients for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_in_float32_by_the_fast_layers_it_is_the_same(
    learner: Learner,
    network: ModuleNetwork,
    params: Params,
    gaussians: Callable[..., EpisodeBatch],
    monkeypatch: pytest.MonkeyPatch,
):
    """The product's own linear layers give the gradient of torch's, up to float32 rounding."""
    if not torch.backends.mkldnn.is_available():
        pytest.skip("this build of torch has no oneDNN")
    monkeypatch.setattr(kernels, "one_dnn_is_faster", lambda: True)
    batch = gaussians()
    sides = (Shots((s.inputs[0].float(),), s.targets) for s in (batch.support, batch.query))
    body = copy.deepcopy(network._body).float()
    found = learner.meta_gradient(
        ModuleNetwork(body, 4),
        {name: w.float() for name, w in params.items()},
        EpisodeBatch(*sides, batch.n_way),
    ).gradients
    for name, expected in learner.meta_gradient(network, params, batch).gradients.items():
        torch.testing.assert_close(found[name].double(), expected, rtol=1e-3, atol=1e-4)


def test_rows_that_pad_change_nothing(
    learner: Learner, network: ModuleNetwork, params: Params, gaussians: Callable[..., EpisodeBatch]
):
    """Rows without a class, in support or query, leave gradient and scores as they are."""
    batch = gaussians()
    padded = EpisodeBatch(_padded(batch.support), _padded(batch.query), batch.n_way)
    _close(
        learner.meta_gradient(network, params, padded).gradients,
        learner.meta_gradient(network, params, batch).gradients,
    )
    scores = learner.predict(network, params, padded)[:, : batch.query.targets.shape[1]]
    torch.testing.assert_close(scores, learner.predict(network, params, batch))


def _padded(shots: Shots) -> Shots:
    rows = torch.cat([shots.inputs[0], torch.full((2, 2, 3), 7.0, dtype=torch.float64)], dim=1)
    return Shots((rows,), torch.cat([shots.targets, torch.full((2, 2), IGNORED)], dim=1))


def test_a_class_without_support_is_never_chosen(
    learner: Learner, network: ModuleNetwork, params: Params, gaussians: Callable[..., EpisodeBatch]
):
    """An episode with fewer classes than the widest one gives the missing ones no chance."""
    batch = gaussians()
    wider = EpisodeBatch(batch.support, batch.query, batch.n_way + 1)
    scores = learner.predict(network, params, wider).softmax(-1)
    assert scores[..., -1].max() < 1e-12
    torch.testing.assert_close(scores[..., :-1], learner.predict(network, params, batch).softmax(-1))


def test_adapting_is_better_than_chance(
    learner: Learner, network: ModuleNetwork, params: Params, gaussians: Callable[..., EpisodeBatch]
):
    """On classes that lie apart, the adapted classifier is mostly right."""
    batch = gaussians(k_shot=5, episodes=16)
    right = learner.predict(network, params, batch).argmax(-1) == batch.query.targets
    assert right.double().mean() > 0.6


def test_outer_steps_lower_the_loss(
    learner: Learner, network: ModuleNetwork, params: Params, gaussians: Callable[..., EpisodeBatch]
):
    """Twenty steps along the meta-gradient lower the loss on the same episodes."""
    batch = gaussians(episodes=8)
    first = learner.meta_gradient(network, params, batch).loss
    for _ in range(20):
        found = learner.meta_gradient(network, params, batch)
        params = {name: w - 0.05 * found.gradients[name] for name, w in params.items()}
    assert found.loss < first


@pytest.mark.parametrize(("name", "setting"), [(name, key) for name, own in SETTINGS.items() for key in own])
def test_a_setting_that_must_be_positive_is_refused(name: str, setting: str):
    """Zero is refused by name when a learner is made."""
    with pytest.raises(ConfigError, match=f"{setting} is 0; it must be above 0"):
        LEARNERS[name](**{**SETTINGS[name], setting: 0})
