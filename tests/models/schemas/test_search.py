"""What a search may hold."""

from pathlib import Path

import pytest

from models.errors import ConfigError
from models.schemas import AgentConfig
from models.schemas.load import agent_from_mapping, load_agent
from models.schemas.search import SearchRange, searchable, with_values

AGENT = """\
name: sentiment
adapter: text_classification
labels: [negative, positive]
sources:
  - address: data/tweets.parquet
search:
"""
VALUES = {
    "name": "agent",
    "adapter": "text_classification",
    "labels": ["a", "b"],
    "sources": [{"address": "a.csv"}],
}


def _file(folder: Path, *lines: str) -> Path:
    path = folder / "agent.yaml"
    path.write_text(AGENT + "".join(f"  {line}\n" for line in lines))
    return path


def test_ranges_and_choices_are_read(tmp_path: Path):
    """A mapping is a range, also with numbers that YAML takes for text, and a list holds choices."""
    path = _file(tmp_path, "learning_rate: {low: 1e-5, high: 1e-3, log: true}", "freeze: [none, gradual]")
    search = load_agent(path).search
    assert search == {
        "learning_rate": SearchRange(low=1e-5, high=1e-3, log=True),
        "freeze": ("none", "gradual"),
    }


def test_all_errors_of_a_search_come_at_once(tmp_path: Path):
    """Every wrong end and choice is told with its line, its value and its field's own limit."""
    path = _file(
        tmp_path,
        "learning_rate: {low: 1.0e-5, high: 5}",
        "freeze: [none, gradul]",
        "max_length: {low: 16, high: 128}",
        "lerning_rate: [0.1, 0.2]",
    )
    with pytest.raises(ConfigError, match="4 errors") as error:
        load_agent(path)
    message = str(error.value)
    assert "line 7: search.learning_rate.high is 5: input should be less than or equal to 1." in message
    assert "line 8: search.freeze.1 is 'gradul': input should be 'none'" in message
    assert "line 9: search.max_length.low is 16: stride is 32; it must be below" in message
    assert "line 10: search.lerning_rate is [0.1, 0.2]: there is no field lerning_rate." in message
    assert "Did you mean learning_rate." in message


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("test_share: [0.1, 0.2]", "can not tell which value of it is better"),
        ("alpha: {low: 0.01, high: 0.1}", "can not tell which value of it is better"),
        ("seed: {low: 0, high: 9}", "can not tell which value of it is better"),
        ("search_trials: [1, 2]", "can not tell which value of it is better"),
        ("unit_features: {low: 0, high: 1}", "the field is no number; write a list"),
        ("epochs: {low: 2, high: 6, stp: 2}", "search.epochs.stp is not a known key. Did you mean step?"),
        ("epochs: {low: 2, high: 6, step: 1.5}", "search.epochs.step is 1.5: the field counts in whole"),
        ("epochs: {low: 1.5, high: 6}", "search.epochs.low is 1.5"),
        ("epochs: {low: 6, high: 2}", "low is 6 and must be below high, 2"),
        ("epochs: {low: 2, high: 6, step: 5}", "step is 5, more than from low to high"),
        ("weight_decay: {low: 0, high: 0.1, log: true}", "low is 0; with log: true it must be above 0"),
        ("learning_rate: {low: 0.1, high: 0.2, log: true, step: 0.1}", "log and step exclude each other"),
        ("weight_decay: 0.1", "write {low: ..., high: ...} or a list of choices"),
        ("freeze: [none]", "at least 2 items"),
        ("freeze: [none, none]", "a choice is listed twice"),
    ],
)
def test_a_wrong_search_is_refused_in_words(tmp_path: Path, line: str, said: str):
    """Each kind of wrong search gives an error that says what is wrong, and where."""
    with pytest.raises(ConfigError, match="line 7: search") as error:
        load_agent(_file(tmp_path, line))
    assert said in str(error.value)


def test_an_encoder_that_a_start_replaces_is_not_searched():
    """A start takes the encoder's place, so that its choices would all train the same."""
    with pytest.raises(ConfigError, match="the start takes the place of encoder"):
        agent_from_mapping({**VALUES, "start": "opinions", "search": {"encoder": ["a", "b"]}})


def test_what_steers_is_not_searched():
    """The gate's fields, names, splits and the search's own are left alone; those of training are not."""
    names = searchable(AgentConfig)
    assert {"learning_rate", "encoder", "max_length", "epochs"} <= names
    assert not names & {"name", "labels", "test_share", "alpha", "search", "time_limit_seconds"}


def test_a_search_survives_json():
    """What a run form or a work pool sends on is what was written."""
    search = {"epochs": {"low": 2, "high": 6, "step": 2}, "unit_features": [True, False]}
    config = agent_from_mapping({**VALUES, "search": search})
    assert AgentConfig.model_validate_json(config.model_dump_json()) == config


def test_a_trials_config_holds_its_values_and_no_search():
    """An agent with other values is checked like one from a file, and has nothing left to search."""
    config = agent_from_mapping({**VALUES, "search": {"epochs": [2, 4]}})
    trial = with_values(config, {"epochs": 4})
    assert (trial.epochs, trial.search) == (4, {})
