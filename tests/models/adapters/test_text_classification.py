from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from scipy.special import softmax
from sklearn.metrics import f1_score

from models.adapters import IGNORED, Answers, TextClassification
from models.encoder import DEFAULT_ENCODER, load_tokenizer
from models.errors import DataError
from models.schemas import AgentConfig

TOKENIZER = load_tokenizer(DEFAULT_ENCODER)


@pytest.fixture
def adapter(make_config: Callable[..., AgentConfig]) -> TextClassification:
    """Give the adapter for the labels neg, neu and pos."""
    return TextClassification(make_config())


def _answers(*labels: str) -> pa.Table:
    return pa.table({"label": pa.array(labels, pa.string())})


def test_windows_vote_with_the_mean_of_their_logits(adapter: TextClassification):
    """The windows' logits are averaged before the softmax, not their probabilities after it."""
    rows = pa.table({"text": ["so " * 20, "so"]})
    windows = adapter.encode(rows, TOKENIZER).windows
    logits = [np.array([9.0, 0.0, 0.0]), np.array([0.0, 4.0, 0.0]), np.array([0.0, 0.0, 1.0])]
    predictions = adapter.decode(Answers(logits, windows, TOKENIZER), rows)
    expected = softmax([[4.5, 2.0, 0.0], [0.0, 0.0, 1.0]], axis=1)
    assert windows["row"].to_pylist() == [0, 0, 1]
    assert np.allclose(predictions["probabilities"].to_pylist(), expected)
    assert predictions["label"].to_pylist() == ["neg", "pos"]
    assert np.allclose(predictions["confidence"].to_numpy(), expected.max(axis=1))


def test_each_window_carries_its_rows_label(adapter: TextClassification):
    """All windows of a long text learn from the text's one label."""
    rows = pa.table({"text": ["so " * 20, "so"], "label": ["pos", "neg"]})
    assert adapter.encode(rows, TOKENIZER).windows["labels"].to_pylist() == [[2], [2], [0]]


def test_a_null_label_is_ignored_and_a_null_text_is_lost(adapter: TextClassification):
    """A missing label is not learned from, and a missing text is counted like an empty one."""
    rows = pa.table({"text": ["fine", None], "label": pa.array([None, "pos"], pa.string())})
    encoding = adapter.encode(rows, TOKENIZER)
    assert encoding.windows["labels"].to_pylist() == [[IGNORED]]
    assert encoding.unusable == {"text without sub-words": 1}


def test_outcomes_make_micro_f1_the_accuracy(adapter: TextClassification):
    """Right answers count (1, 0, 0) and wrong ones (0, 1, 1)."""
    outcomes = adapter.outcomes(_answers("neg", "pos", "neu"), _answers("neg", "neu", "neu"))
    assert outcomes.counts.tolist() == [[1, 0, 0], [0, 1, 1], [1, 0, 0]]
    assert outcomes.exact.tolist() == [True, False, True]


def test_macro_f1_is_over_the_labels_that_occur(adapter: TextClassification):
    """A class that is neither there nor predicted does not lower the mean."""
    truth, predicted = ("neg", "pos", "pos"), ("neg", "neg", "pos")
    scores = adapter.metrics(_answers(*truth), _answers(*predicted))
    assert scores["accuracy"] == pytest.approx(2 / 3)
    assert scores["macro_f1"] == pytest.approx(f1_score(truth, predicted, average="macro"))


def test_missing_truth_in_some_rows_is_refused(adapter: TextClassification):
    """Rows without a label are not counted as wrong in silence."""
    truth = pa.table({"label": pa.array(["neg", None], pa.string())})
    with pytest.raises(DataError, match="1 rows have no label"):
        adapter.metrics(truth, _answers("neg", "neg"))


@pytest.mark.parametrize("kind", [pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_labels_come_in_any_kind_of_string_column(adapter: TextClassification, kind: pa.DataType):
    """What pandas writes as large strings or categories reads like plain strings."""
    rows = pa.table({"text": ["a", "b"], "label": pa.array(["pos", "neg"]).cast(kind)})
    assert adapter.encode(rows, TOKENIZER).windows["labels"].to_pylist() == [[2], [0]]


def test_an_unknown_answer_is_wrong_and_an_unknown_truth_an_error(adapter: TextClassification):
    """A model of an earlier label set may answer with a label that is gone; rows may not have it."""
    known, gone = _answers("neg", "pos"), _answers("neg", "mixed")
    assert adapter.outcomes(known, gone).exact.tolist() == [True, False]
    assert adapter.metrics(known, gone) == {"accuracy": 0.5, "macro_f1": 0.5}
    with pytest.raises(DataError, match="Label 'mixed' is not one of"):
        adapter.outcomes(gone, known)
