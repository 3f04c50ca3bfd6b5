"""The guardrails on robustness and on gaps between groups."""

from collections.abc import Callable, Mapping

import pytest

from models.errors import DataError
from models.gating.evidence import Measured
from models.gating.guardrails import judge_guardrails
from models.schemas import AgentConfig, Metric, SliceScore

MakeConfig = Callable[..., AgentConfig]
GAP = {"max_group_gap": 0.1, "groups": ["domain"], "min_slice_rows": 50}


def slices(scores: Mapping[str, tuple[float, int]]) -> tuple[SliceScore, ...]:
    """Make slices of scores and rows."""
    return tuple(
        SliceScore(name=name, metric=Metric(value=value, low=value, high=value, rows=rows))
        for name, (value, rows) in scores.items()
    )


def test_the_perturbation_that_costs_too_much_is_named(make_config: MakeConfig):
    """One perturbation over the limit speaks against the challenger; the other holds."""
    rules = make_config(robustness=["typos", "casing"], max_robustness_drop=0.1)
    rails, findings = judge_guardrails(Measured(robustness={"typos": 0.2, "casing": 0.05}), rules)
    assert [(rail.name, rail.passed) for rail in rails] == [
        ("robustness_drop under typos", False),
        ("robustness_drop under casing", True),
    ]
    assert [(f.text, f.against) for f in findings] == [
        ("robustness_drop under typos is 0.2 and the limit is 0.1", True)
    ]


def test_what_is_measured_without_a_limit_is_listed(make_config: MakeConfig):
    """None as the limit means off: the value is shown and holds."""
    rails, findings = judge_guardrails(Measured(robustness={"typos": 0.9}), make_config())
    assert [(rail.limit, rail.passed) for rail in rails] == [(None, True)]
    assert findings == []


def test_a_limit_on_what_was_not_measured_is_an_error(make_config: MakeConfig):
    """A challenger that was not scored on perturbed rows can not be judged by them."""
    rules = make_config(robustness=["typos"], max_robustness_drop=0.1)
    with pytest.raises(DataError, match="max_robustness_drop is set but robustness_drop was not measured"):
        judge_guardrails(Measured(), rules)


def test_the_gap_is_between_the_best_and_the_worst_group(make_config: MakeConfig):
    """Groups with too few rows do not count, nor do slices of another kind."""
    scores = {
        "domain=films": (0.9, 60),
        "domain=news": (0.85, 60),
        "domain=tiny": (0.1, 9),
        "domain=tweets": (0.7, 60),
        "label=neg": (0.2, 90),
    }
    rails, findings = judge_guardrails(Measured(slices=slices(scores)), make_config(**GAP))
    assert [rail.name for rail in rails] == ["group_gap between domain=films and domain=tweets"]
    assert rails[0].value == pytest.approx(0.2)
    assert [f.against for f in findings] == [True]


def test_named_groups_alone_are_compared(make_config: MakeConfig):
    """Where groups are named by their values the others are left out."""
    scores = {"domain=films": (0.9, 60), "domain=news": (0.85, 60), "domain=tweets": (0.7, 60)}
    rules = make_config(**GAP | {"groups": ["domain=films", "domain=news"]})
    rails, findings = judge_guardrails(Measured(slices=slices(scores)), rules)
    assert rails[0].value == pytest.approx(0.05)
    assert findings == []


def test_groups_too_small_to_compare_ask_for_rows(make_config: MakeConfig):
    """With one large group there is no gap to tell, which blocks and says how many rows would do."""
    scores = {"domain=films": (0.9, 60), "domain=tweets": (0.7, 49)}
    rails, findings = judge_guardrails(Measured(slices=slices(scores)), make_config(**GAP))
    assert rails == ()
    assert [(f.against, f.needed_rows) for f in findings] == [(False, 100)]
    assert "groups of domain can not be compared" in findings[0].text
