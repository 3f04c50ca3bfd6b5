from collections.abc import Callable

import pytest
from pydantic import ValidationError

from models.schemas import AgentConfig
from models.schemas.tuning_fields import USED_BY

MakeConfig = Callable[..., AgentConfig]
VALUES = {"tuning_rank": 4, "tuning_alpha": 8.0, "tuning_tokens": 5, "merge_weights": True}


@pytest.mark.parametrize("field", VALUES)
@pytest.mark.parametrize("way", ["full", "bitfit", "bottleneck", "lora", "rslora", "dora", "ia3", "prefix"])
def test_a_setting_without_effect_is_refused(make_config: MakeConfig, way: str, field: str):
    """Each setting is taken by the ways that use it, and the others name those."""
    if way in USED_BY[field]:
        assert getattr(make_config(tuning=way, **{field: VALUES[field]}), field) == VALUES[field]
        return
    message = f"{field} has no effect with tuning: {way}; leave it out, or choose tuning: {USED_BY[field][0]}"
    with pytest.raises(ValidationError, match=message):
        make_config(tuning=way, **{field: VALUES[field]})


def test_freezing_goes_with_full_tuning_alone(make_config: MakeConfig):
    """Where the encoder stays as it is, no layer of it is left to freeze."""
    with pytest.raises(ValidationError, match="freeze: gradual has no effect with tuning: lora"):
        make_config(tuning="lora", freeze="gradual")


@pytest.mark.parametrize(
    ("field", "value"), [("tuning_rank", 0), ("tuning_alpha", 0), ("tuning_tokens", 2000)]
)
def test_settings_have_bounds(make_config: MakeConfig, field: str, value: int):
    """What is out of all reason is refused with its limit."""
    with pytest.raises(ValidationError, match=r"Input should be (greater|less)"):
        make_config(tuning=USED_BY[field][0], **{field: value})


def test_a_way_that_is_none_is_refused_with_the_choices(make_config: MakeConfig):
    """A misspelt way is told which there are."""
    with pytest.raises(ValidationError, match="'bitfit', 'bottleneck', 'lora', 'rslora', 'dora', 'ia3'"):
        make_config(tuning="lorra")
