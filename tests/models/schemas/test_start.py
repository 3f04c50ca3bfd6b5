import pytest
from pydantic import ValidationError

from models.schemas import SourceConfig
from models.schemas.start import EpisodeSource, StartConfig

SOURCE = EpisodeSource(adapter="text_classification", source=SourceConfig(address="rows.csv"))


def _start(**changes: object) -> StartConfig:
    return StartConfig.model_validate({"name": "intents", "sources": (SOURCE,)} | changes)


def test_a_name_and_a_source_are_enough():
    """Everything else has a default."""
    start = _start()
    assert start.agent == "start-intents"
    assert start.train_shape.n_way == 10


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"learner": "mamal"}, "learner is 'mamal'; it must be one of anil, "),
        ({"learner_settings": {"speed": 1}}, "learner 'prototypical' has no setting 'speed'; it has scale"),
        ({"learner_settings": {"scale": "big"}}, "scale is 'big'; it must be like its default, 10.0"),
        ({"learner_settings": {"scale": -1}}, "scale is -1; it must be above 0"),
        ({"learner": "maml", "learner_settings": {"head": "x"}}, "head is 'x'; it must be one of prototypes"),
        ({"learner": "maml", "learner_settings": {"first_order": 1}}, "first_order is 1; it must be like"),
        ({"optimizer": "Adamm"}, "'Adamm' is no class of torch.optim"),
        ({"k_shot": (5, 1)}, "k_shot is .5, 1.; the first number must not be above"),
        ({"unbalanced": True, "k_shot": 1}, "unbalanced needs k_shot as a range"),
        ({"disjoint": "domains"}, "disjoint: domains needs a split and a source.domain for every source"),
        ({"n_ways": 5}, "Extra inputs are not permitted"),
        ({"meta_layers": "some"}, "Input should be"),
        ({"meta_layers": 0}, "greater than or equal to 1"),
        ({"optimizer": "LBFGS"}, "torch.optim.LBFGS does not step from gradients alone"),
        ({"n_way": 1}, "n_way and judged_way must be at least 2"),
        ({"learner": "maml", "learner_settings": {"head": "learned"}}, "give n_way, judged_way and the"),
        ({"learner": "reptile", "learner_settings": {"first_order": True}}, "has no setting 'first_order'"),
        ({"learner": "meta_sgd", "learner_settings": {"annealed": -1.0}}, "annealed is -1.0; it must be"),
        ({"learner": "maml", "compiled": True}, "adapts the head alone, not for maml"),
        ({"meta_layers": "none", "meta_rank": 4}, "meta_rank nothing to choose from"),
        (
            {"learner": "anil", "learner_settings": {"head": "zeros"}, "meta_layers": "none"},
            "leave nothing to learn",
        ),
        ({"meta_layers": "none", "weight_decay": 0.1}, "leaves weight_decay no weight"),
        ({"sources": (SOURCE.model_copy(update={"split": "train"}),)}, "none is for each of train"),
    ],
)
def test_a_wrong_value_says_what_would_do(changes: dict[str, object], message: str):
    """Mistakes are found when the description is read, not hours later."""
    with pytest.raises(ValidationError, match=message):
        _start(**changes)


def test_an_int_is_a_float_where_one_is_wanted():
    """`scale: 5` in YAML is a number like 5.0."""
    assert _start(learner_settings={"scale": 5}).learner_settings == {"scale": 5}
