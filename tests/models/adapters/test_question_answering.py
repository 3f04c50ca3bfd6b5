"""What is special about answers in a passage."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.adapters import Answers, QuestionAnswering
from models.adapters.spans import best_spans
from models.encoder import DEFAULT_ENCODER, load_tokenizer
from models.errors import ConfigError
from models.schemas import AgentConfig

MakeConfig = Callable[..., AgentConfig]
TOKENIZER = load_tokenizer(DEFAULT_ENCODER)


def _rows(*rows: tuple[str, str, list[str] | None]) -> pa.Table:
    names = ("question", "context", "answers")
    columns = [pa.array([row[i] for row in rows]) for i in range(3)]
    return pa.table(dict(zip(names, columns, strict=True)), QuestionAnswering.columns())


def _loud(windows: pa.Table) -> list[np.ndarray]:
    found = []
    for ids, places in zip(windows["input_ids"].to_pylist(), windows["labels"].to_pylist(), strict=True):
        found.append(np.zeros((len(ids), 2)))
        found[-1][places, [0, 1]] = 9.0
    return found


def test_a_window_without_the_answer_points_at_its_beginning(make_config: MakeConfig):
    """The answer stands in one window of several; the others are taught to say that it is not there."""
    adapter = QuestionAnswering(make_config("question_answering"))
    rows = _rows(("where", "so " * 30 + "in Rome", ["Rome"]))
    windows = adapter.encode(rows, TOKENIZER).windows
    labels = windows["labels"].to_pylist()
    assert labels[:-1] == [[0, 0]] * (len(labels) - 1)
    assert labels[-1][0] > 0
    answers = Answers(_loud(windows), windows, TOKENIZER)
    assert adapter.decode(answers, rows)["answers"].to_pylist() == [["Rome"]]


def test_an_answer_is_the_passages_own_text(make_config: MakeConfig):
    """Case and accents come back as they stand in the passage, whatever the tokenizer makes of them."""
    adapter = QuestionAnswering(make_config("question_answering", max_length=32))
    rows = _rows(("who", "«Æther» Müller-Lüdenscheidt, born 1963.", ["Müller-Lüdenscheidt"]))
    windows = adapter.encode(rows, TOKENIZER).windows
    answers = Answers(_loud(windows), windows, TOKENIZER)
    assert adapter.show(rows, adapter.decode(answers, rows))["answer"].to_pylist() == ["Müller-Lüdenscheidt"]


def test_none_is_said_where_it_scores_higher(make_config: MakeConfig):
    """With a margin a question may stay without an answer; without one it never does."""
    rows = _rows(("who", "Ada sings", []))
    said = {}
    for margin in (None, 0.0, 100.0):
        adapter = QuestionAnswering(make_config("question_answering", no_answer_margin=margin))
        windows = adapter.encode(rows, TOKENIZER).windows
        assert windows["labels"].to_pylist() == [[0, 0]]
        said[margin] = adapter.decode(Answers(_loud(windows), windows, TOKENIZER), rows)["answers"][0].as_py()
    assert said[0.0] == []
    assert said[None] == said[100.0] != []


def test_rows_without_an_answer_are_put_aside_unless_they_are_asked_for(make_config: MakeConfig):
    """The measure that the quarantine looks at depends on the margin."""
    columns = {
        name: column.combine_chunks()
        for name, column in zip(
            ("question", "context", "answers"),
            _rows(("who", "Ada", []), ("who", "Ada", ["Bob"])).columns,
            strict=True,
        )
    }
    without = QuestionAnswering(make_config("question_answering")).measure(columns)
    with_margin = QuestionAnswering(make_config("question_answering", no_answer_margin=0.0)).measure(columns)
    assert without["unanswered"].to_pylist() == [True, False]
    assert with_margin["unanswered"].to_pylist() == [False, False]
    assert without["misplaced"].to_pylist() == [False, True]


def test_a_stride_without_room_is_refused(make_config: MakeConfig):
    """The error tells the room that there is."""
    adapter = QuestionAnswering(make_config("question_answering", stride=6))
    with pytest.raises(ConfigError, match=r"stride is 6; .* room for 5 sub-words"):
        adapter.encode(_rows(("who", "Ada", ["Ada"])), TOKENIZER)


def test_a_long_question_is_cut_and_counted(make_config: MakeConfig):
    """It leaves half of the window to the passage."""
    adapter = QuestionAnswering(make_config("question_answering"))
    encoding = adapter.encode(_rows(("so " * 50, "Ada sings", ["Ada"])), TOKENIZER)
    assert encoding.unusable == {"question cut at half of max_length": 1}
    assert max(map(len, encoding.windows["input_ids"].to_pylist())) <= 16


@given(st.integers(0, 1000), st.integers(1, 6))
def test_the_best_span_is_the_best_of_all(seed: int, most: int):
    """Looking at all windows together finds what trying every pair of places does."""
    rng = np.random.default_rng(seed)
    lengths, row_of = rng.integers(1, 7, 4), np.sort(rng.integers(0, 2, 4))
    row_of -= row_of[0]
    windows = np.repeat(np.arange(4), lengths)
    scores = rng.normal(size=(len(windows), 2))
    scores[rng.random(len(windows)) < 0.2] = -np.inf
    found = best_spans(scores, windows, row_of, most)
    for row in range(row_of[-1] + 1):
        spans = [
            (scores[i, 0] + scores[j, 1], -i)
            for i in range(len(windows))
            for j in range(i, min(i + most, len(windows)))
            if windows[i] == windows[j] and row_of[windows[i]] == row
        ]
        best = max(spans, default=(-np.inf, 0))[0]
        assert found.score[row] == pytest.approx(best)
        assert (found.first[row] >= 0) == np.isfinite(best)


def test_the_chance_of_none_is_told_where_none_is_answered(make_config: MakeConfig):
    """A question that surely has no answer is answered so with confidence."""
    adapter = QuestionAnswering(make_config("question_answering", no_answer_margin=0.0))
    rows = _rows(("who", "Ada sings", []))
    windows = adapter.encode(rows, TOKENIZER).windows
    for loud, sure in ((20.0, 1.0), (0.1, 0.5)):
        scores = [np.zeros((len(windows["input_ids"][0].as_py()), 2))]
        scores[0][0] = loud / 2
        found = adapter.decode(Answers(scores, windows, TOKENIZER), rows)
        assert found["answers"].to_pylist() == [[]]
        assert found["confidence"][0].as_py() == pytest.approx(sure, abs=0.03)
