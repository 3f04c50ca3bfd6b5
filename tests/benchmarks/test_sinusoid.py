import pytest

from benchmarks.sinusoid import INNER_RATE, errors, meta_trained
from models.learners.fine_tune import FineTune
from models.learners.maml import MAML


@pytest.mark.system
def test_one_step_from_a_meta_trained_start_beats_one_from_a_pretrained_one():
    """After 400 outer steps MAML's error after one step is far below the control's (paper, figure 3)."""
    kinds = {"maml": MAML, "control": FineTune}
    learners = {
        name: kind(inner_lr=INNER_RATE, inner_steps=1, head="learned", n_way=1)
        for name, kind in kinds.items()
    }
    found = {
        name: errors(one, *meta_trained(one, 400, seed=0), episodes=200).mean()
        for name, one in learners.items()
    }
    assert found["maml"] < 0.6 * found["control"]
