from collections.abc import Callable

import pytest
from pydantic import ValidationError

from models.schemas import AgentConfig


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"robustness": ["typos", "typos"]}, "typos is listed twice"),
        ({"robustness": ["entity_swaps"]}, "entity_swaps needs tags, which text classification does not"),
        ({"robustness": ["noise"]}, "Input should be 'casing'"),
        ({"robustness_share": 0}, "greater than 0"),
        ({"max_robustness_drop": 0.1}, "limits nothing; list perturbations in robustness"),
        ({"max_group_gap": 0.1}, "max_group_gap has no effect without groups"),
        ({"groups": ["domain"]}, "groups has no effect without max_group_gap"),
        ({"groups": ["gender"], "max_group_gap": 0.1}, "'gender' is no group; write source"),
        ({"groups": ["domain=a"], "max_group_gap": 0.1}, "'domain=a' has no other group of its kind"),
    ],
)
def test_what_can_not_be_measured_is_refused(
    make_config: Callable[..., AgentConfig], changes: dict[str, object], message: str
):
    """The message says which field, why, and what to do."""
    with pytest.raises(ValidationError, match=message):
        make_config(**changes)


def test_robustness_trains_nothing_anew(make_config: Callable[..., AgentConfig]):
    """Asking for perturbations makes no other version of the same rows."""
    assert make_config().trains_like(make_config(robustness=["typos"], robustness_share=0.5))
