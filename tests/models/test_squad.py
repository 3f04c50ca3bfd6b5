"""SQuAD's scores, beside those of torchmetrics."""

import pytest
from torchmetrics.functional.text import squad

from models.squad import squad_scores

TRUTH = [["the New York Jets", "Jets"], ["1963"], ["a b c d"], ["Ada Lovelace"]]
GIVEN = ["Jets!", "in 1963", "b c x", "Charles"]


def test_scores_are_those_of_another_implementation():
    """Exact match and F1 agree, articles, punctuation and several answers included."""
    exact, f1 = squad_scores(TRUTH, GIVEN)
    theirs = squad(
        [{"prediction_text": text, "id": str(i)} for i, text in enumerate(GIVEN)],
        [{"answers": {"answer_start": [0] * len(t), "text": t}, "id": str(i)} for i, t in enumerate(TRUTH)],
    )
    assert 100 * exact.mean() == pytest.approx(theirs["exact_match"].item())
    assert 100 * f1.mean() == pytest.approx(theirs["f1"].item())


def test_none_is_right_where_there_is_none():
    """A question without an answer is answered by nothing, and a given answer is wrong there."""
    exact, f1 = squad_scores([[], [], ["x"]], ["", "y", ""])
    assert exact.tolist() == [True, False, False]
    assert f1.tolist() == [1, 0, 0]
