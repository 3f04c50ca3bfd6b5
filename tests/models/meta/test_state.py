"""One outer step: what moves, at which rate, and what is refused."""

import pytest
import torch

from models.errors import TrainingError
from models.learners import Params
from models.meta.settings import MetaSettings
from models.meta.state import MetaState

SETTINGS = MetaSettings(steps=1, warmup_share=0.0, outer_lr=0.01, optimizer="SGD", max_grad_norm=1e9)
BODY, SCALE, HEAD = "layers.0.weight", "text_classification|head.log_scale", "text_classification|head.weight"


def _state(**changes: object) -> MetaState:
    params = {name: torch.ones(2, 2) for name in (BODY, SCALE, HEAD)}
    settings = MetaSettings.model_validate(SETTINGS.model_dump() | changes)
    return MetaState(params, frozenset([BODY]), settings)


def _gradients(value: float) -> Params:
    return {name: torch.full((2, 2), value) for name in (BODY, SCALE, HEAD)}


def _moved(state: MetaState) -> dict[str, float]:
    return {name: float((1 - w).abs().max()) for name, w in state.params.items()}


@pytest.mark.parametrize("optimizer", ["SGD", "AdamW", "ASGD", "RMSprop", "Adadelta"])
def test_weight_decay_shrinks_weights_and_no_scale(optimizer: str):
    """Phi <- phi - eta lambda phi, by any optimizer, on the encoder's weights and on a head's start."""
    state = _state(weight_decay=0.5, optimizer=optimizer)
    state.step(_gradients(0.0))
    # Half way through its only step the rate has fallen to half.
    decayed = 0.5 * SETTINGS.outer_lr * 0.5
    assert _moved(state) == pytest.approx({BODY: decayed, SCALE: 0.0, HEAD: decayed}, abs=1e-7)


def test_what_a_learner_learns_beside_the_encoder_has_a_rate_of_its_own():
    """The encoder moves by outer_lr, scale and head by learner_lr."""
    state = _state(learner_lr=0.2)
    state.step(_gradients(1.0))
    assert _moved(state) == pytest.approx({BODY: 0.005, SCALE: 0.1, HEAD: 0.1})


def test_both_rates_come_back_from_a_checkpoint():
    """A state that goes on takes the steps of one that was not cut off."""
    settings = {"learner_lr": 0.2, "steps": 4, "optimizer": "AdamW"}
    whole, cut_off = _state(**settings), _state(**settings)
    for state in (whole, cut_off):
        state.step(_gradients(1.0))
        state.keep_best()
    resumed = _state(**settings)
    resumed.resume(cut_off.checkpoint(0.0))
    for state in (whole, resumed):
        state.step(_gradients(0.5))
    assert all(torch.equal(w, resumed.params[name]) for name, w in whole.params.items())


def test_a_gradient_that_is_no_number_changes_nothing():
    """One entry would turn every weight into nan through the clipping."""
    state, gradients = _state(weight_decay=0.5), _gradients(1.0)
    gradients[BODY][0, 0] = torch.nan
    with pytest.raises(TrainingError, match="meta-gradient is nan long at outer step 0"):
        state.step(gradients)
    assert _moved(state) == {BODY: 0.0, SCALE: 0.0, HEAD: 0.0}
