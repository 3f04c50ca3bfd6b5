"""Evaluation of predictions, and the table that the gate reads back."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from models.adapters import TaskAdapter, get_adapter
from models.errors import DataError
from models.evaluate import Evaluation, evaluate, latency, outcomes_of
from models.schemas import AgentConfig

ROWS = 120
TEXT_LABELS = ("neg", "neu", "pos")


def _texts(wrong: int) -> tuple[pa.Table, pa.Table]:
    """Give rows and predictions in which the first `wrong` rows are wrong."""
    truth = [TEXT_LABELS[i % 3] for i in range(ROWS)]
    answers = [TEXT_LABELS[(i + 1) % 3] if i < wrong else label for i, label in enumerate(truth)]
    rows = pa.table(
        {
            "text_hash": pa.array(np.arange(ROWS, dtype=np.uint64)),
            "source": ["a.csv"] * ROWS,
            "domain": ["tweets" if i < 60 else "films" for i in range(ROWS)],
            "text": ["so good"] * ROWS,
            "label": truth,
        }
    )
    return rows, pa.table({"label": answers, "confidence": [0.75] * ROWS})


def _tags() -> tuple[pa.Table, pa.Table]:
    """Give rows of one place and one person, in which every second row's person is missed."""
    truth = [["B-loc", "I-loc", "O", "B-per"]] * ROWS
    answers = [tags[:3] + (["O"] if i % 2 else ["B-per"]) for i, tags in enumerate(truth)]
    rows = pa.table(
        {
            "text_hash": pa.array(np.arange(ROWS, dtype=np.uint64)),
            "source": ["a.conll"] * ROWS,
            "tokens": [["New", "York", "for", "Ada"]] * ROWS,
            "tags": truth,
        }
    )
    sure = [[0.9] * 4] * ROWS
    return rows, pa.table({"tags": answers, "confidence": [0.9] * ROWS, "confidences": sure})


@pytest.fixture
def text_adapter(make_config: Callable[..., AgentConfig]) -> TaskAdapter:
    """Give an adapter for texts."""
    return get_adapter(make_config("text_classification"))


@pytest.fixture
def tag_adapter(make_config: Callable[..., AgentConfig]) -> TaskAdapter:
    """Give an adapter for tags."""
    return get_adapter(make_config("token_classification"))


@pytest.fixture
def text_evaluation(text_adapter: TaskAdapter) -> Evaluation:
    """Evaluate texts of which 30 of 120 are wrong."""
    return evaluate(text_adapter, *_texts(30))


def test_metrics_are_the_adapters(text_adapter: TaskAdapter, tag_adapter: TaskAdapter):
    """Each score equals the adapter's own, and lies in its interval."""
    for adapter, pair in ((text_adapter, _texts(30)), (tag_adapter, _tags())):
        metrics = evaluate(adapter, *pair).metrics
        assert {name: m.value for name, m in metrics.items()} == pytest.approx(adapter.metrics(*pair))
        assert all(m.low <= m.value <= m.high for m in metrics.values())


def test_slices_split_the_primary_metric(text_evaluation: Evaluation):
    """All wrong rows are tweets: films are right, tweets half right."""
    scores = {one.name: one.metric for one in text_evaluation.slices}
    assert scores["domain=tweets"].value == pytest.approx(0.5)
    assert scores["domain=films"].value == 1
    assert scores["label=neg"].rows == 40


def test_the_confusion_matrix_has_truth_in_lines(text_evaluation: Evaluation):
    """Each class has 10 rows answered with the next class."""
    assert text_evaluation.confusion_labels == TEXT_LABELS
    assert text_evaluation.confusion == ((30, 10, 0), (0, 30, 10), (10, 0, 30))


def test_per_label_scores_by_hand(text_evaluation: Evaluation):
    """30 of 40 rows of a class are found and 30 of 40 answers with it are right."""
    assert text_evaluation.per_label["pos"] == pytest.approx(
        {"precision": 0.75, "recall": 0.75, "f1": 0.75, "rows": 40}
    )


def test_calibration_is_of_the_answer(text_evaluation: Evaluation):
    """Confidence 0.75 with 75 % right is perfectly calibrated."""
    assert text_evaluation.calibration_error == pytest.approx(0, abs=1e-9)


def test_tags_are_scored_by_entity_and_shown_by_word(tag_adapter: TaskAdapter):
    """Half of the persons are missed: entity F1 is 360 / 420, and 60 words of persons became O."""
    evaluation = evaluate(tag_adapter, *_tags())
    assert evaluation.metrics["f1"].value == pytest.approx(2 * 180 / (2 * 180 + 60))
    assert evaluation.per_label["per"]["recall"] == pytest.approx(0.5)
    assert evaluation.confusion_labels == ("O", "loc", "per")
    assert evaluation.confusion == ((120, 0, 0), (0, 240, 0), (60, 0, 60))


def test_calibration_of_tags_is_over_words(tag_adapter: TaskAdapter):
    """Of 480 words at confidence 0.9, 420 are right."""
    evaluation = evaluate(tag_adapter, *_tags())
    assert sum(one.rows for one in evaluation.reliability) == 480
    assert evaluation.calibration_error == pytest.approx(0.9 - 420 / 480)


def test_tags_without_entities_are_scored(tag_adapter: TaskAdapter):
    """Where neither truth nor prediction has an entity, scores are 0 and nothing fails."""
    rows = pa.table(
        {"text_hash": pa.array([1], pa.uint64()), "tokens": [["a"]], "tags": [["O"]], "source": ["x"]}
    )
    predictions = pa.table({"tags": [["O"]], "confidence": [0.9], "confidences": [[0.9]]})
    assert evaluate(tag_adapter, rows, predictions).per_label["loc"]["rows"] == 0


def test_a_label_that_the_agent_no_longer_has_is_a_wrong_answer(text_adapter: TaskAdapter):
    """A champion that answers with a removed label has its own column, and a line without rows."""
    rows, answers = _texts(0)
    labels = ["mixed"] * 30 + answers["label"].to_pylist()[30:]
    evaluation = evaluate(text_adapter, rows, answers.set_column(0, "label", pa.array(labels)))
    assert evaluation.metrics["accuracy"].value == pytest.approx(0.75)
    assert evaluation.per_label["pos"] == pytest.approx(
        {"precision": 1.0, "recall": 0.75, "f1": 6 / 7, "rows": 40}
    )
    assert evaluation.confusion_labels == (*TEXT_LABELS, "(another label)")
    assert evaluation.confusion == ((30, 0, 0, 10), (0, 30, 0, 10), (0, 0, 30, 10), (0, 0, 0, 0))


def test_an_entity_type_that_the_agent_no_longer_has_is_made_up(tag_adapter: TaskAdapter):
    """A champion that finds organizations where none are asked for has made up 60 entities."""
    rows, answers = _tags()
    tags = [["B-loc", "I-loc", "B-org" if i % 2 else "O", "B-per"] for i in range(ROWS)]
    evaluation = evaluate(tag_adapter, rows, answers.set_column(0, "tags", pa.array(tags)))
    assert evaluation.metrics["precision"].value == pytest.approx(240 / 300)
    assert evaluation.metrics["recall"].value == 1
    assert evaluation.confusion[0] == (60, 0, 0, 60)


def test_scores_with_strange_answers_are_the_adapters(text_adapter: TaskAdapter, tag_adapter: TaskAdapter):
    """Each score equals the adapter's own also where labels are none of the agent's."""
    rows, answers = _texts(30)
    strange = pa.array(["mixed"] * 20 + answers["label"].to_pylist()[20:])
    texts = (rows, answers.set_column(0, "label", strange))
    rows, answers = _tags()
    tags = (rows, answers.set_column(0, "tags", pa.array([["B-org", "I-org", "O", "B-per"]] * ROWS)))
    for adapter, pair in ((text_adapter, texts), (tag_adapter, tags)):
        found = {name: m.value for name, m in evaluate(adapter, *pair).metrics.items()}
        assert found == pytest.approx(adapter.metrics(*pair))


def test_outcomes_survive_their_table(text_adapter: TaskAdapter, text_evaluation: Evaluation):
    """What the gate reads back is what the adapter found."""
    expected = text_adapter.outcomes(*_texts(30))
    found = outcomes_of(text_evaluation.outcomes)
    assert (found.counts == expected.counts).all()
    assert (found.exact == expected.exact).all()
    assert text_evaluation.outcomes.schema.names == [
        "text_hash",
        "tp",
        "fp",
        "fn",
        "exact",
        "confidence",
        "slices",
    ]


def test_no_rows_are_an_error(text_adapter: TaskAdapter):
    """An evaluation needs a row."""
    rows, predictions = _texts(0)
    with pytest.raises(DataError, match="no held-out rows"):
        evaluate(text_adapter, rows.slice(0, 0), predictions.slice(0, 0))


def test_latency_is_the_median_of_calls_on_batches():
    """Every call after the first gets as many rows as asked for, and its time is measured."""
    sizes: list[int] = []
    rows = pa.table({"text": ["a"] * 5})
    assert latency(lambda batch: sizes.append(batch.num_rows), rows, batch=2) >= 0
    assert set(sizes) == {2}
    assert len(sizes) > 10


def test_latency_stops_in_time():
    """After the limit no new call starts; one is always measured."""
    calls: list[int] = []
    latency(lambda batch: calls.append(batch.num_rows), pa.table({"text": ["a"]}), batch=32, seconds=0)
    assert calls == [1, 1]
