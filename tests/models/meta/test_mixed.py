import pytest

from models import kernels
from models.learners import make_learner
from models.meta.mixed import attends_plainly


@pytest.mark.parametrize(
    ("learner", "precision", "device", "plainly"),
    [
        ("maml", "fp32", "cuda", True),
        ("prototypical", "bf16", "cpu", True),
        ("prototypical", "bf16", "cuda", False),
        ("prototypical", "fp32", "cpu", False),
    ],
)
def test_the_plain_formula_is_for_adapted_bodies_and_bf16_on_a_cpu(
    learner: str, precision: kernels.Precision, device: str, plainly: bool
):
    """A learner that adapts the body needs it; in bf16 on a CPU it is the faster one."""
    assert attends_plainly(make_learner(learner, {}), precision, device) is plainly
