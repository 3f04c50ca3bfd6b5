from collections.abc import Callable

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FixedTrial

from models.schemas import AgentConfig
from tasks.io.search.space import can_draw, draw, present_values, space_of

Make = Callable[..., AgentConfig]


def test_each_field_gets_the_distribution_of_its_kind(make_agent: Make):
    """Whole numbers are drawn as such, rates by order of magnitude, and choices as their field reads them."""
    config = make_agent(
        search={
            "learning_rate": {"low": 1e-5, "high": 1e-3, "log": True},
            "epochs": {"low": 2, "high": 7, "step": 2},
            "weight_decay": ["1e-2", 0.1],
        }
    )
    assert space_of(config) == {
        "learning_rate": FloatDistribution(1e-5, 1e-3, log=True),
        "epochs": IntDistribution(2, 6, step=2),
        "weight_decay": CategoricalDistribution((0.01, 0.1)),
    }


def test_values_are_those_that_were_drawn(make_agent: Make):
    """Each searched field gets one value, and no other field does."""
    drawn = {"learning_rate": 2e-4, "freeze": "encoder", "epochs": 4}
    assert draw(FixedTrial(drawn), space_of(make_agent())) == drawn


@pytest.mark.parametrize(
    ("changes", "held"),
    [
        ({}, True),
        ({"epochs": 3}, False),
        ({"epochs": 8}, False),
        ({"freeze": "gradual"}, False),
        ({"learning_rate": 0.5}, False),
    ],
)
def test_the_present_values_are_a_trial_where_the_ranges_hold_them(
    make_agent: Make, changes: dict[str, object], held: bool
):
    """Out of range, off the steps or not among the choices, the description as it stands is no trial."""
    config = make_agent(**changes)
    assert can_draw(space_of(config), present_values(config)) is held


def test_true_is_not_one(make_agent: Make):
    """A choice of true does not hold the number 1, though Python calls them equal."""
    config = make_agent(search={"unit_features": [True, False]})
    assert not can_draw(space_of(config), {"unit_features": 1})
