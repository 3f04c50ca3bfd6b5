from collections.abc import Callable

import pytest
from pydantic import ValidationError

from models.schemas import AgentConfig
from models.schemas.objectives import OBJECTIVE_SETTINGS

TAGS = {"adapter": "token_classification"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"perturbation": 0.1},
            "perturbation has no effect with objective: plain; .*fgm, pgd, freelb, smart",
        ),
        ({"objective": "fgm", "ascent_steps": 2}, "ascent_steps has no effect with objective: fgm"),
        ({"objective": "r_drop", "mixup_alpha": 1}, "mixup_alpha has no effect .* belongs to mixup"),
        ({"objective": "fgm", "compiled": True}, "objective: fgm reaches into the model"),
        ({"objective": "r_drop", "dropout": 0}, "dropout: 0 leaves none"),
        ({"start_decay": 1.0, "freeze": "encoder"}, "start_decay has no effect with freeze: encoder"),
        ({"start_decay": 1e5}, "start_decay \\* learning_rate is 10; .* Set start_decay to 1e\\+04 or less"),
        ({**TAGS, "objective": "mixup"}, "mixup mixes whole texts .* token classification does not"),
        (
            {"label_smoothing": 0.1, "out_of_scope": "neu"},
            "label_smoothing would move the score of out_of_scope",
        ),
        ({"objective": "smart", "out_of_scope": "neu"}, "objective: smart would move the score"),
        ({"objective": "adamant"}, "Input should be 'plain'"),
        ({"objective": "pgd", "ascent_steps": 0}, "greater than or equal to 1"),
        ({"label_smoothing": 1}, "less than 1"),
        ({"dropout": 1}, "less than 1"),
    ],
)
def test_what_would_have_no_effect_is_refused(
    make_config: Callable[..., AgentConfig], changes: dict[str, object], message: str
):
    """The message says which field, why, and what it belongs to."""
    with pytest.raises(ValidationError, match=message):
        make_config(**changes)


@pytest.mark.parametrize("name", OBJECTIVE_SETTINGS)
def test_each_objective_takes_its_settings(make_config: Callable[..., AgentConfig], name: str):
    """An objective with all of its settings is a good description, and survives its JSON."""
    values = dict.fromkeys(OBJECTIVE_SETTINGS[name], 1)
    config = make_config(objective=name, label_smoothing=0.1, dropout=0.2, start_decay=3.0, **values)
    assert AgentConfig.model_validate_json(config.model_dump_json()) == config
