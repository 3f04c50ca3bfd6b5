import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from models.errors import ConfigError, MissingExtraError
from models.schemas import AgentConfig
from models.schemas.trials import Search
from tasks.io.home import Home, home_at
from tasks.io.search.study import SCHEMA, check_installed, make_study, open_study

Make = Callable[..., Search]


@pytest.mark.parametrize(
    "changes",
    [
        {"search": {"epochs": [2, 4]}},
        {"weight_decay": 0.5},
        {"search_method": "random"},
        {"search_pruner": "none"},
        {"test_share": 0.2},
    ],
)
def test_another_search_has_another_name(make_search: Make, changes: dict[str, object]):
    """Other ranges, another description or other rows begin a new search, whose scores are its own."""
    assert make_search().study != make_search(**changes).study


def test_a_budget_does_not_tell_searches_apart(make_search: Make):
    """More trials, seconds or workers, and another gate, go on with the search that is there."""
    changes = {"search_trials": 9, "search_seconds": 5.0, "search_workers": 2, "alpha": 0.1}
    assert make_search().study == make_search(**changes).study


def test_an_agent_without_ranges_is_told_how(make_search: Make):
    """Nothing to search is an error that shows what to write."""
    with pytest.raises(ConfigError, match=r"learning_rate: \{low: 1\.0e-5"):
        make_search(search={})


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    """Without optuna the error says what to install."""
    monkeypatch.setitem(sys.modules, "optuna", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'quickstudy\[tune\]'"):
        check_installed()


@pytest.mark.parametrize("pruner", ["median", "hyperband", "none"])
def test_a_lagging_curve_is_given_up_by_its_pruner(home: Home, make_search: Make, pruner: str):
    """A curve below eight others is given up by either pruner, and by none where there is none."""
    search = make_search(search_pruner=pruner, search_trials=30)
    study = open_study(home.search_url, search.study, search.config)
    for height in range(9):
        trial = study.ask()
        for step in (1, 2, 3):
            trial.report(0.5 + height / 100, step)
            trial.should_prune()
        study.tell(trial, 0.9)
    low = [study.ask() for _ in range(4)]  # hyperband looks at one bracket of trials at a time
    for trial in low:
        trial.report(0.1, 1)
    assert any(trial.should_prune() for trial in low) is (pruner != "none")


@pytest.mark.system
def test_postgres_holds_a_search_in_a_schema_of_its_own(
    postgres_url: str, make_agent: Callable[..., AgentConfig]
):
    """Beside a ledger on a server the tables stand apart from other programs' tables of the same names."""
    from sqlalchemy import create_engine, inspect

    url = home_at(Path("home"), ledger_url=postgres_url).search_url
    make_study(url, "agent-1")
    make_study(url, "agent-1")
    study = open_study(url, "agent-1", make_agent())
    study.tell(study.ask(), 0.5)
    assert open_study(url, "agent-1", make_agent()).best_value == 0.5
    engine = create_engine(postgres_url)
    assert "trials" in inspect(engine).get_table_names(SCHEMA)
    assert "trials" not in inspect(engine).get_table_names("public")
    engine.dispose()
