from collections.abc import Callable

import pytest
import torch

from models.networks import EncoderNetwork
from models.schemas import AgentConfig
from models.task_model import build
from models.training.optimizer import build_optimizer, encoder_layers, rate_factor, set_rates, thaw

MakeConfig = Callable[..., AgentConfig]


def training_names(model: EncoderNetwork) -> set[str]:
    """Name the parameters that train."""
    return {name for name, parameter in model.named_parameters() if parameter.requires_grad}


def test_the_rate_rises_and_falls_to_nothing():
    """The rate is at its peak where the warm-up ends, and 0 at the end."""
    assert [rate_factor(p, 0.2) for p in (0.0, 0.1, 0.2, 0.6, 1.0)] == pytest.approx([0, 0.5, 1, 0.5, 0])
    assert rate_factor(0.0, 0.0) == 1.0


def test_biases_and_norms_do_not_decay(make_config: MakeConfig):
    """Weight decay is for matrices only, and each parameter is in one group."""
    model, _ = build(make_config(weight_decay=0.1))
    optimizer = build_optimizer(model, make_config(weight_decay=0.1))
    decay = {id(p): g["weight_decay"] for g in optimizer.param_groups for p in g["params"]}
    for name, parameter in model.named_parameters():
        assert decay.pop(id(parameter)) == (0.0 if "bias" in name or "LayerNorm" in name else 0.1), name
    assert not decay


def test_head_and_encoder_have_their_own_rates(make_config: MakeConfig):
    """The head's rate and the encoder's follow the same factor from their own peaks."""
    config = make_config(learning_rate=1e-4, head_learning_rate=1e-2)
    model, _ = build(config)
    optimizer = build_optimizer(model, config)
    set_rates(optimizer, 0.5)
    rates = {id(p): g["lr"] for g in optimizer.param_groups for p in g["params"]}
    assert rates[id(model.head.weight)] == pytest.approx(5e-3)
    assert rates[id(next(model.encoder.parameters()))] == pytest.approx(5e-5)


@pytest.mark.parametrize(
    ("freeze", "epoch", "layers", "embeddings"),
    [
        ("none", 0, 1, True),
        ("encoder", 5, 0, False),
        ("all_but_top", 0, 1, False),
        ("gradual", 0, 0, False),
        ("gradual", 1, 1, False),
        ("gradual", 2, 1, True),
    ],
)
def test_freezing_follows_the_policy(
    make_config: MakeConfig, freeze: str, epoch: int, layers: int, embeddings: bool
):
    """Exactly the layers that the policy names for an epoch train, and the head always."""
    config = make_config(freeze=freeze)
    model, _ = build(config)
    thaw(model, config, epoch)
    assert {layer.output.dense.weight.requires_grad for layer in encoder_layers(model.encoder)} == {
        bool(layers)
    }
    assert model.encoder.get_input_embeddings().weight.requires_grad == embeddings
    assert "head.weight" in training_names(model)


def test_no_gradient_is_computed_below_the_frozen_layers(make_config: MakeConfig):
    """A frozen encoder keeps no graph: the hidden state that the head sees needs no gradient."""
    config = make_config(freeze="encoder")
    model, _ = build(config)
    thaw(model, config, 0)
    hidden = model.encoder(input_ids=torch.tensor([[101, 102]])).last_hidden_state
    assert not hidden.requires_grad
