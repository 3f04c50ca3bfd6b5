from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from sklearn.metrics import f1_score

from models.adapters import IGNORED, Answers, MultiLabelClassification
from models.encoder import DEFAULT_ENCODER, load_tokenizer
from models.metrics import SCORERS
from models.schemas import AgentConfig
from tasks.io.draft import draft_agent

TOKENIZER = load_tokenizer(DEFAULT_ENCODER)
SETS = pa.list_(pa.string())


@pytest.fixture
def adapter(make_config: Callable[..., AgentConfig]) -> MultiLabelClassification:
    """Give the adapter for the labels neg, neu and pos."""
    return MultiLabelClassification(make_config("multi_label_classification"))


def _answers(sets: list[list[str]]) -> pa.Table:
    return pa.table({"labels": pa.array(sets, SETS), "confidence": np.full(len(sets), 0.9)})


def test_windows_carry_a_one_or_zero_a_label(adapter: MultiLabelClassification):
    """No label is an answer; no list is none."""
    rows = pa.table({"text": ["a", "b", "c"], "labels": pa.array([["pos", "neg"], [], None], SETS)})
    labels = adapter.encode(rows, TOKENIZER).windows["labels"].to_pylist()
    assert labels == [[1, 0, 1], [0, 0, 0], [IGNORED] * 3]


def test_every_label_likelier_than_not_is_answered(adapter: MultiLabelClassification):
    """A row may have none, and is as sure as its least sure label."""
    rows = pa.table({"text": ["a", "b"]})
    windows = adapter.encode(rows, TOKENIZER).windows
    scores = [np.array([2.0, -2.0, 0.1]), np.array([-1.0, -1.0, -1.0])]
    found = adapter.decode(Answers(scores, windows, TOKENIZER), rows)
    assert found["labels"].to_pylist() == [["neg", "pos"], []]
    assert np.allclose(found["confidence"].to_numpy(), [1 / (1 + np.exp(-0.1)), 1 / (1 + np.exp(-1))])


def test_rows_without_a_list_teach_nothing(adapter: MultiLabelClassification):
    """The loss of a batch is that of its labelled windows."""
    scores = torch.tensor([[1.0, 2.0, 3.0], [5.0, -5.0, 5.0]])
    labels = torch.tensor([[1, 0, 1], [IGNORED] * 3])
    assert torch.allclose(adapter.loss(scores, labels), adapter.loss(scores[:1], labels[:1]))


def test_labels_are_counted_as_entities_are(adapter: MultiLabelClassification):
    """Found, made up and missed; a label of an older set is made up."""
    truth = _answers([["neg", "pos"], [], ["neu"]])
    outcomes = adapter.outcomes(truth, _answers([["neg"], ["old"], ["neu"]]))
    assert outcomes.counts.tolist() == [[1, 0, 1], [0, 1, 0], [1, 0, 0]]
    assert outcomes.exact.tolist() == [False, False, True]


def test_scores_are_scikit_learns(adapter: MultiLabelClassification):
    """Micro and macro F1 agree, in the adapter and in the report."""
    rng = np.random.default_rng(0)
    truth, found = (rng.random((200, 3)) < share for share in (0.4, 0.5))
    names = np.array(adapter.outputs)
    tables = [_answers([names[line].tolist() for line in one]) for one in (truth, found)]
    scores, report = adapter.metrics(*tables), SCORERS[adapter.scorer](adapter, *tables)
    for name, average in (("f1", "micro"), ("macro_f1", "macro")):
        expected = f1_score(truth, found, average=average)
        assert scores[name] == pytest.approx(expected)
        assert report.metrics[name].value == pytest.approx(expected)
    assert scores["exact_match"] == report.metrics["exact_match"].value == (truth == found).all(axis=1).mean()
    assert report.confusion.size == 0
    assert report.per_label["neg"]["rows"] == truth[:, 0].sum()


def test_renaming_keeps_lists_and_their_absence(adapter: MultiLabelClassification):
    """Names are mended one by one; a null list stays null and no label stays no label."""
    lists = pa.array([[" good ", "neg"], None, []], SETS)
    renamed = adapter.rename({"text": pa.array(["a", "b", "c"]), "labels": lists}, {"good": "pos"})["labels"]
    assert renamed.to_pylist() == [["pos", "neg"], None, []]


def test_init_knows_lists_of_labels(tmp_path: Path):
    """A text and a list of labels by a usual name are a task of their own."""
    path = tmp_path / "rows.jsonl"
    rows = ['{"body": "so good and long", "topics": ["a", "b"]}', '{"body": "bad", "topics": []}']
    path.write_text("\n".join(rows * 5))
    text = draft_agent("topics", path, tmp_path)
    assert "adapter: multi_label_classification" in text
    assert "labels: topics" in text
    assert "text_column: body" in text
