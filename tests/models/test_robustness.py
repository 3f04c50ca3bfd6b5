from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from models.adapters import get_adapter
from models.evaluate import outcomes_table
from models.robustness import score_perturbed, share_lost
from models.schemas import AgentConfig

MakeConfig = Callable[..., AgentConfig]


def table(count: int = 40) -> pa.Table:
    """Make texts whose one long word tells the label; every second one is from films."""
    labels = [("neg", "pos")[i % 4 > 1] for i in range(count)]
    return pa.table(
        {
            "text_hash": pa.array(np.arange(count), pa.uint64()),
            "source": ["a.csv"] * count,
            "domain": [("films", "tweets")[i % 2] for i in range(count)],
            "text": [f"it is {'awful' if label == 'neg' else 'great'}" for label in labels],
            "label": labels,
        }
    )


def reads_letters(rows: pa.Table) -> pa.Table:
    """Answer by the exact word, in films also where it is misspelled."""
    pairs = zip(rows["text"].to_pylist(), rows["domain"].to_pylist(), rows["label"].to_pylist(), strict=True)
    answers = [
        truth if domain == "films" or text.split()[-1] in ("awful", "great") else "neu"
        for text, domain, truth in pairs
    ]
    return pa.table({"label": answers, "confidence": [1.0] * len(answers)})


def test_clean_and_perturbed_stand_side_by_side(make_config: MakeConfig):
    """A model that fails on misspelled tweets alone loses half, all of it on that slice."""
    adapter = get_adapter(make_config(robustness=["typos", "casing"], robustness_share=1.0))
    rows = table()
    clean = outcomes_table(adapter, rows, reads_letters(rows))
    typos, casing = score_perturbed(adapter, reads_letters, rows, clean)
    assert (typos.perturbation, casing.perturbation) == ("typos", "casing")
    assert (typos.clean.value, typos.perturbed.value, typos.lost.value) == (1.0, 0.5, 0.5)
    assert typos.changed == 40
    assert typos.lost.low < 0.5 < typos.lost.high
    scores = {one.name: one.metric.value for one in typos.slices}
    assert (scores["domain=films"], scores["domain=tweets"]) == (1.0, 0.0)


def test_nothing_listed_is_nothing_measured(make_config: MakeConfig):
    """An agent without perturbations is not predicted for again."""
    adapter = get_adapter(make_config())
    rows = table()
    clean = outcomes_table(adapter, rows, reads_letters(rows))
    assert score_perturbed(adapter, lambda _: pytest.fail("predicted"), rows, clean) == ()


def test_rows_that_stay_as_they_are_are_not_predicted_again(make_config: MakeConfig):
    """Where no word is in the list of synonyms there is nothing to ask, and nothing lost."""
    adapter = get_adapter(make_config(robustness=["synonyms"]))
    rows = table().set_column(3, "text", [["zzz"] * 40])
    clean = outcomes_table(adapter, rows, reads_letters(rows))
    (found,) = score_perturbed(adapter, lambda _: pytest.fail("predicted"), rows, clean)
    assert (found.changed, found.lost.value) == (0, 0.0)
    assert found.perturbed == found.clean


def test_what_is_lost_pairs_each_row_with_itself():
    """Where no row changes its outcome the interval is a point, however uneven the rows are."""
    counts = np.array([[1, 0, 0]] * 30 + [[0, 1, 1]] * 10)
    same = share_lost(counts, counts, seed=0)
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)
    assert share_lost(counts, counts[::-1], seed=0).low < 0 < share_lost(counts, counts[::-1], seed=0).high


def test_a_score_of_nothing_loses_nothing():
    """Where nothing was right there is nothing to lose."""
    wrong = np.array([[0, 1, 1]] * 5)
    assert share_lost(wrong, wrong, seed=0).value == 0.0
