import itertools
import math

import optuna
import pytest

from benchmarks.tune_search import WAYS, compare, search
from benchmarks.tune_table import EPOCHS, GRID, Training


@pytest.fixture(autouse=True)
def _quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)


@pytest.fixture
def table() -> list[Training]:
    """Pretend that curves rise to a height that one corner of the grid has most of."""
    made = []
    for combination in itertools.product(*GRID.values()):
        values = dict(zip(GRID, combination, strict=True))
        height = 1 / (1 + sum((math.log10(value) + 3) ** 2 for value in combination))
        curve = tuple(height * (1 - 0.5**place) for place in range(1, EPOCHS + 1))
        made.append(Training(values=values, validation=curve, test=height))
    return made


@pytest.mark.parametrize("way", WAYS)
def test_a_search_spends_its_passes_and_no_more(table: list[Training], way: str):
    """Without pruning every trial costs its passes; with it more trials are begun for the same."""
    found = search(table, way, seed=0, passes=40)
    if "pruned" in way:
        assert found.trials > 40 / EPOCHS
    else:
        assert found.trials == math.ceil(40 / EPOCHS)


def test_a_search_finds_what_its_table_holds(table: list[Training]):
    """Validation and test of a find are those of one training of the table."""
    found = search(table, "tpe, pruned (the default)", seed=1, passes=40)
    assert (found.validation, found.test) in [(max(one.validation), one.test) for one in table]


def test_every_way_gets_a_line(table: list[Training]):
    """The comparison names each way, and random search has no difference to itself."""
    lines = compare("made", [table], passes=20, searches=3)
    assert len(lines) == len(WAYS)
    assert lines[0].endswith("|  |")
