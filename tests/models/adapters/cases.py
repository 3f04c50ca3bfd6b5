"""Rows of every adapter for the contract test; a new adapter joins by its case here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from models.adapters import IGNORED, TaskAdapter

Row = Mapping[str, Any]


def head_answers(adapter: TaskAdapter, windows: pa.Table) -> list[np.ndarray]:
    """Give scores that say the windows' labels loudly, where labels are outputs."""
    labels = [np.array(one) for one in windows["labels"].to_pylist()]
    loud = [10.0 * (one[:, None] == np.arange(adapter.shape.outputs)) for one in labels]
    return [one[0] if adapter.pools else one for one in loud]


def indicator_answers(adapter: TaskAdapter, windows: pa.Table) -> list[np.ndarray]:
    """Give scores whose signs say the windows' ones and zeros loudly."""
    del adapter
    return [20.0 * np.array(one) - 10.0 for one in windows["labels"].to_pylist()]


def choice_answers(adapter: TaskAdapter, windows: pa.Table) -> list[np.ndarray]:
    """Give the right choices a loud score."""
    del adapter
    return [np.array([10.0 * right]) for right, _ in windows["labels"].to_pylist()]


def written_answers(adapter: TaskAdapter, windows: pa.Table) -> list[np.ndarray]:
    """Give the windows' labels as what was written, without a doubt."""
    del adapter
    labels = [np.array(one, np.float64) for one in windows["labels"].to_pylist()]
    learned = [one[one != IGNORED] for one in labels]
    return [np.stack([one, np.zeros(len(one))]) for one in learned]


def span_answers(adapter: TaskAdapter, windows: pa.Table) -> list[np.ndarray]:
    """Give scores that say loudly where the windows' spans begin and end."""
    del adapter
    found = []
    for ids, places in zip(windows["input_ids"].to_pylist(), windows["labels"].to_pylist(), strict=True):
        found.append(np.zeros((len(ids), 2)))
        found[-1][places, [0, 1]] = 10.0
    return found


@dataclass(frozen=True)
class Case:
    """Rows of an adapter.

    Args:
        rows: Two or more good rows with their truth.
        long: Inputs that need several windows of 16 sub-words, of which 4 are shared.
        windows: How many windows that are.
        lost: Inputs that leave no sub-word; None where there are none.
        bad: A row whose truth is not one of the labels; None where any is right.
        answers: What a network that knows the truth answers for windows.
        fields: Of the description, where the defaults do not fit.
    """

    rows: tuple[Row, ...]
    long: Row
    windows: int = 4
    lost: Row | None = None
    bad: Row | None = None
    answers: Callable[[TaskAdapter, pa.Table], list[np.ndarray]] = head_answers
    fields: Mapping[str, object] | None = None


CASES = {
    "text_classification": Case(
        rows=({"text": "a good film", "label": "pos"}, {"text": "dull", "label": "neg"}),
        long={"text": "so " * 40},
        lost={"text": "\x00"},
        bad={"text": "a film", "label": "great"},
    ),
    "token_classification": Case(
        rows=(
            {"tokens": ["in", "New", "York"], "tags": ["O", "B-loc", "I-loc"]},
            {"tokens": ["Ada"], "tags": ["B-per"]},
        ),
        long={"tokens": ["so"] * 40},
        lost={"tokens": ["\x00", "\x00"]},
        bad={"tokens": ["Ada"], "tags": ["B-org"]},
    ),
    "translation": Case(
        rows=(
            {"text": "a good film", "target": "ein guter Film"},
            {"text": "dull", "target": "langweilig"},
        ),
        long={"text": "so " * 40},
        windows=1,
        answers=written_answers,
    ),
    "summarization": Case(
        rows=(
            {"text": "a good film the user says . so so .", "target": "a good film"},
            {"text": "dull . the film", "target": "dull film"},
        ),
        long={"text": "so " * 40},
        windows=1,
        answers=written_answers,
    ),
    "dialogue": Case(
        rows=(
            {"turns": ["a film", "so", "the user says so"], "target": "a good film"},
            {"turns": ["dull"], "target": "so so ."},
        ),
        long={"turns": ["so " * 40, "a", "good film"]},
        windows=1,
        answers=written_answers,
    ),
    "dialogue_state": Case(
        rows=(
            {"turns": ["a film"], "slots": ["film: a film", "user: the user"], "state": ["film=good|so"]},
            {"turns": ["so", "a", "dull"], "slots": ["film: a film"], "state": []},
        ),
        long={"turns": ["a", "so", "so " * 40], "slots": ["film: a film"]},
        windows=1,
        answers=written_answers,
    ),
    "question_answering": Case(
        rows=(
            {"question": "who sings", "context": "here Ada sings a song", "answers": ["Ada", "here Ada"]},
            {"question": "where", "context": "in New York", "answers": ["New York"]},
        ),
        long={"question": "so", "context": "so " * 40},
        windows=5,
        answers=span_answers,
    ),
    "multi_label_classification": Case(
        rows=({"text": "a good film", "labels": ["neg", "pos"]}, {"text": "dull", "labels": ["neg"]}),
        long={"text": "so " * 40},
        lost={"text": "\x00"},
        bad={"text": "a film", "labels": ["great"]},
        answers=indicator_answers,
    ),
    "relation_classification": Case(
        rows=(
            {
                "tokens": ["Ada", "is", "in", "New", "York"],
                "head": ["0", "0"],
                "tail": ["3", "4"],
                "label": "in",
            },
            {"tokens": ["Rome", "Ada"], "head": ["1", "1"], "tail": ["0", "0"], "label": "of"},
        ),
        long={"tokens": ["so"] * 40, "head": ["1", "1"], "tail": ["3", "4"]},
        windows=1,
        lost={"tokens": ["so"] * 40, "head": ["0", "0"], "tail": ["39", "39"]},
        bad={"tokens": ["Ada"], "head": ["0", "0"], "tail": ["0", "0"], "label": "near"},
    ),
    "multiple_choice": Case(
        rows=(
            {"question": "where is Ada", "choices": ["in Rome", "a film", "so"], "answer": "in Rome"},
            {"question": "what is good", "choices": ["it", "the film"], "answer": "the film"},
        ),
        long={"question": "so " * 40, "choices": ["a", "b", "c", "d"]},
        lost={"question": "where", "choices": []},
        answers=choice_answers,
    ),
    "relation_extraction": Case(
        rows=(
            {"tokens": ["Ada", "in", "New", "York"], "relations": ["in 0 0 2 3"]},
            {"tokens": ["Rome", "of", "Ada"], "relations": ["of 2 2 0 0"]},
        ),
        long={"tokens": ["so"] * 40},
        lost={"tokens": ["\x00", "\x00"]},
        bad={"tokens": ["Ada", "Rome"], "relations": ["near 0 0 1 1"]},
    ),
}
