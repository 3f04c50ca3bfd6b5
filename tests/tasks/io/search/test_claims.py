"""Which worker tries what: budgets, parallel workers, and trials that a dead worker left."""

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from models.schemas.trials import Search, Trial
from tasks.io.home import Home
from tasks.io.search.claims import claimed
from tasks.io.search.results import finished, keep
from tasks.io.search.study import open_study
from tests.tasks.io.search.conftest import pretend

Make = Callable[..., Search]

LEAVES = """
import os, sys
from models.schemas.trials import Search
from tasks.io.home import current_home
from tasks.io.search.claims import claimed
search, home = Search.model_validate_json(sys.argv[1]), current_home()
with claimed(home.search_url, home.books().ledger, search) as claim:
    print(claim.trial.model_dump_json(), flush=True)
    os.kill(os.getpid(), 9)
"""


def _work(home: Home, search: Search) -> list[Trial]:
    """Try trials without training until none is left; give those that this worker had."""
    mine: list[Trial] = []
    ledger = home.books().ledger
    while True:
        with claimed(home.search_url, ledger, search) as claim:
            if claim is None:
                return mine
            mine.append(claim.trial)
            keep(open_study(home.search_url, search.study, search.config), claim.trial, pretend(claim.trial))


def _tried(home: Home, search: Search) -> list[Trial]:
    study = open_study(home.search_url, search.study, search.config)
    return [one.trial for one in finished(study)]


def test_the_first_trial_is_the_description_as_it_stands(home: Home, make_search: Make):
    """The search begins with what it is to improve on."""
    search = make_search(search_trials=1)
    assert _work(home, search)[0].values == {"learning_rate": 1e-4, "freeze": "none", "epochs": 4}


def test_the_budget_of_trials_holds(home: Home, make_search: Make):
    """No more trials are drawn than `search_trials`, and a larger budget goes on with the same search."""
    first = make_search(search_trials=3)
    assert len(_work(home, first)) == 3
    more = make_search(search_trials=5)
    assert more.study == first.study
    assert [trial.number for trial in _work(home, more)] == [3, 4]


def test_the_budget_of_seconds_holds(home: Home, make_search: Make):
    """No trial begins once all of them have trained for `search_seconds`."""
    search = make_search(search_trials=20, search_seconds=25)
    assert len(_work(home, search)) == 3


def test_workers_share_the_trials(home: Home, make_search: Make):
    """Four workers at once try each trial once, and no more than the budget."""
    search = make_search(search_trials=7)
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(lambda _: _work(home, search), range(4)))
    numbers = sorted(trial.number for part in parts for trial in part)
    assert numbers == list(range(7))
    assert len(_tried(home, search)) == 7


def test_what_is_drawn_does_not_depend_on_who_draws_it(home: Home, make_search: Make):
    """A search in one go and one with a new worker for each trial draw the same values."""
    whole = [trial.values for trial in _work(home, make_search(search_trials=10))]
    cut = []
    for most in (1, 9, 10):
        search = make_search(search_trials=most, max_quarantine_share=0.5)
        cut += [trial.values for trial in _work(home, search)]
    assert cut == whole


def test_another_seed_draws_other_values(home: Home, make_search: Make):
    """The agent's seed is the search's."""
    one = _work(home, make_search(search_trials=2))
    other = _work(home, make_search(search_trials=2, seed=1))
    assert [trial.values for trial in one[1:]] != [trial.values for trial in other[1:]]


@pytest.mark.system
def test_a_dead_workers_trial_is_taken_over(home: Home, make_search: Make):
    """The trial of a killed process is tried again, with its values and its number, before a new one."""
    search = make_search(search_trials=2)
    command = [sys.executable, "-c", LEAVES, search.model_dump_json()]
    killed = subprocess.run(command, capture_output=True, text=True, check=False)
    left = Trial.model_validate_json(killed.stdout)
    assert _work(home, search)[0] == left
    assert [trial.number for trial in _tried(home, search)] == [0, 1]


def test_a_trial_is_counted_once(home: Home, make_search: Make):
    """Ending a trial again, as after a kill, changes nothing."""
    search = make_search(search_trials=1)
    (trial,) = _work(home, search)
    study = open_study(home.search_url, search.study, search.config)
    keep(study, trial, pretend(trial).model_copy(update={"score": 0.1}))
    assert [one.report for one in finished(study)] == [pretend(trial)]
