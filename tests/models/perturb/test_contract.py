"""What holds for every perturbation; a new one joins by a line in PERTURBATIONS."""

from typing import get_args

import numpy as np
import pyarrow as pa
import pytest

from models.adapters import ADAPTERS
from models.perturb import PERTURBATIONS, Dose, Perturbation
from models.schemas.robustness import PerturbationName

DOSE = Dose(0.5, 0)
TEXTS = ["The movie was terrible, honestly!", "please remember my  PHONE", "", "ok", "12 34 ...", "the film"]
TOKENS = [
    ["Anna", "Maria", "met", "her", "doctor", "in", "Rome", "."],
    ["Paris", "and", "New", "York", "remember", "Bob"],
    ["nobody", "came"],
    [],
]
TAGS = [
    ["B-per", "I-per", "O", "O", "O", "O", "B-loc", "O"],
    ["B-loc", "O", "B-loc", "I-loc", "O", "B-per"],
    ["O", "O"],
    [],
]


def texts() -> pa.Table:
    """Give rows of texts, one of them empty and some without a word to change."""
    keys = pa.array(np.arange(7, 7 + len(TEXTS)), pa.uint64())
    return pa.table({"text_hash": keys, "text": TEXTS, "label": ["a"] * len(TEXTS)})


def tagged() -> pa.Table:
    """Give rows of tagged words, one without entities and one without words."""
    kind = pa.list_(pa.string())
    columns = [pa.array(np.arange(4), pa.uint64()), pa.array(TOKENS, kind), pa.array(TAGS, kind)]
    return pa.table(columns, names=["text_hash", "tokens", "tags"])


@pytest.fixture(params=list(PERTURBATIONS))
def perturbation(request: pytest.FixtureRequest) -> Perturbation:
    """Give each perturbation in turn."""
    return PERTURBATIONS[request.param]()


def read(perturbation: Perturbation) -> tuple[pa.Table, str]:
    """Give rows that a perturbation takes, and their column."""
    return (tagged(), "tokens") if perturbation.needs else (texts(), "text")


def test_every_perturbation_is_offered():
    """The names that descriptions may list are those of the table."""
    assert set(PERTURBATIONS) == set(get_args(PerturbationName))
    assert all(name == one.name for name, one in PERTURBATIONS.items())


def test_every_adapters_column_is_one_that_is_read():
    """What an adapter lets be changed is among the columns that are there when rows are predicted."""
    named = {name: one.perturbed for name, one in ADAPTERS.items() if one.perturbed}
    assert named
    assert all(column in ADAPTERS[name].inputs().names for name, column in named.items())


def test_something_changes_and_the_rest_stays(perturbation: Perturbation):
    """The column that is read changes; types, other columns and the rows themselves do not."""
    rows, column = read(perturbation)
    changed = perturbation.apply(rows, column, DOSE)
    assert changed.schema.types == rows.schema.types
    assert changed[column].to_pylist() != rows[column].to_pylist()
    assert changed.drop([column, *perturbation.needs]) == rows.drop([column, *perturbation.needs])
    assert rows == read(perturbation)[0]


def test_one_seed_gives_one_change(perturbation: Perturbation):
    """The same seed changes rows alike, and some other seed does not."""
    rows, column = read(perturbation)
    first, again = (perturbation.apply(rows, column, DOSE) for _ in range(2))
    others = [perturbation.apply(rows, column, Dose(0.2, seed)) for seed in range(8)]
    assert first == again
    assert perturbation.name == "entity_swaps" or any(other != others[0] for other in others)


def test_tagged_words_keep_their_tags(perturbation: Perturbation):
    """Every row has as many tags as words, and entities of the same types in the same order."""
    changed = perturbation.apply(tagged(), "tokens", DOSE)
    kinds = [[tag[2:] for tag in row if tag.startswith("B-")] for row in TAGS]
    found = changed["tags"].to_pylist()
    assert [len(row) for row in found] == [len(row) for row in changed["tokens"].to_pylist()]
    assert [[tag[2:] for tag in row if tag.startswith("B-")] for row in found] == kinds


def test_no_rows_are_no_rows(perturbation: Perturbation):
    """An empty table comes back as it is."""
    rows, column = read(perturbation)
    assert perturbation.apply(rows.slice(0, 0), column, DOSE).num_rows == 0


def test_a_chunked_slice_is_read_right(perturbation: Perturbation):
    """Rows from the middle of a table in several chunks are the ones that change."""
    rows, column = read(perturbation)
    doubled = pa.concat_tables([rows, rows]).slice(1)
    if perturbation.needs:  # what is swapped in depends on the other rows
        assert perturbation.apply(doubled, column, DOSE).num_rows == doubled.num_rows
        return
    whole = perturbation.apply(rows, column, DOSE)[column].to_pylist()
    assert perturbation.apply(doubled, column, DOSE)[column].to_pylist() == whole[1:] + whole
