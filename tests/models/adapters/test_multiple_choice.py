from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from torch.nn.functional import cross_entropy

from models.adapters import IGNORED, MultipleChoice
from models.adapters.choices import choose, right_choices
from models.batching import Collator
from models.encoder import DEFAULT_ENCODER, load_tokenizer
from models.schemas import AgentConfig
from models.window_reader import Layout
from tasks.io.draft import draft_agent

TOKENIZER = load_tokenizer(DEFAULT_ENCODER)
ROWS = pa.table(
    {
        "question": ["where", "what is it", "who"],
        "choices": [["here", "there", "nowhere"], ["that", "this"], ["Ada", "Ada", "Bob", "Eve"]],
        "answer": ["there", "that", "Bob"],
    }
)


@pytest.fixture
def adapter(make_config: Callable[..., AgentConfig]) -> MultipleChoice:
    """Give the adapter."""
    return MultipleChoice(make_config("multiple_choice"))


def test_each_choice_is_read_beside_its_question(adapter: MultipleChoice):
    """A window holds both, and says whether it is right and where the choice stands."""
    windows = adapter.encode(ROWS, TOKENIZER).windows
    assert TOKENIZER.decode(windows["input_ids"][3].as_py()) == "[CLS] what is it [SEP] that [SEP]"
    assert windows["row"].to_pylist() == [0, 0, 0, 1, 1, 2, 2, 2, 2]
    assert windows["labels"].to_pylist()[:5] == [[0, 0], [1, 1], [0, 2], [1, 0], [0, 1]]


def test_an_answer_that_is_no_choice_teaches_nothing(adapter: MultipleChoice):
    """Neither does a row without one."""
    rows = ROWS.set_column(2, "answer", pa.array(["elsewhere", None, "Bob"]))
    labels = np.array(adapter.encode(rows, TOKENIZER).windows["labels"].to_pylist())
    assert labels[:, 0].tolist() == [IGNORED] * 5 + [0, 0, 1, 0]


def test_the_loss_is_the_cross_entropy_of_each_row(adapter: MultipleChoice):
    """Rows of different numbers of choices are each a softmax of their own, and the gradients agree."""
    labels = torch.tensor(adapter.encode(ROWS, TOKENIZER).windows["labels"].to_pylist())
    scores = torch.randn(9, 1, generator=torch.Generator().manual_seed(0), requires_grad=True)
    parts, truth = scores.flatten().split([3, 2, 4]), [1, 0, 2]
    expected = torch.stack(
        [cross_entropy(part[None], torch.tensor([right])) for part, right in zip(parts, truth, strict=True)]
    ).mean()
    found = adapter.loss(scores, labels)
    assert torch.allclose(found, expected)
    gradients = [torch.autograd.grad(one, scores)[0] for one in (found, expected)]
    assert torch.allclose(*gradients, atol=1e-6)


def test_a_batch_holds_whole_rows(adapter: MultipleChoice):
    """However it is cut into parts, a row's choices stay together and in order."""
    windows = adapter.encode(ROWS, TOKENIZER).windows
    collate = Collator(windows, 0, Layout(together=adapter.together))
    for batch in collate.in_parts(np.array([2, 0, 1]), 2):
        starts = (batch.labels[:, 1] == 0).nonzero().flatten().tolist()
        sizes = np.diff([*starts, len(batch.labels)])
        assert set(sizes.tolist()) <= {2, 3, 4}
        assert batch.labels[:, 1].tolist() == [place for size in sizes for place in range(size)]


def test_ties_go_to_the_first_choice():
    """Probabilities are of the row's own choices, and a row without any has an empty answer."""
    found = choose(pa.array([["a", "b"], [], ["c"]]), np.array([1.0, 1.0, -3.0]))
    assert found["answer"].to_pylist() == ["a", "", "c"]
    assert found["confidence"].to_pylist() == [0.5, 0.0, 1.0]
    assert found["probabilities"].to_pylist() == [[0.5, 0.5], [], [1.0]]


def test_of_two_choices_alike_the_first_is_right():
    """A row has one right choice."""
    assert right_choices(pa.array([["a", "b", "b"], ["b"]]), pa.array(["b", "a"])).tolist() == [
        False,
        True,
        False,
        False,
    ]


def test_bad_rows_are_told_by_what_is_wrong(adapter: MultipleChoice):
    """One choice, an empty one, and an answer that is none of them."""
    columns = {
        "question": pa.array(["a", "b", "c"]),
        "choices": pa.array([["a"], ["a", " "], None]),
        "answer": pa.array(["a", "b", "c"]),
    }
    found = adapter.measure(columns)
    assert found["choices"].to_pylist() == [0, 1, None]
    assert found["empty_choices"].to_pylist() == [0, 1, 0]
    assert found["strange_answer"].to_pylist() == [False, True, True]


def test_init_knows_choices(tmp_path: Path):
    """A question, options and an answer are a task without labels."""
    path = tmp_path / "rows.jsonl"
    path.write_text('{"question": "where", "options": ["here", "there"], "answer": "here"}\n' * 3)
    text = draft_agent("quiz", path, tmp_path)
    assert "adapter: multiple_choice" in text
    assert "choices: options" in text
