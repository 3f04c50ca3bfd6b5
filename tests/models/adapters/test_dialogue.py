"""Chats as they are shown to a causal model."""

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pytest
from transformers import PreTrainedTokenizerBase

from models.adapters import IGNORED, TaskAdapter, get_adapter
from models.adapters.chat import newest
from models.errors import ConfigError
from models.schemas import AgentConfig
from models.task_model import agent_tokenizer

MakeConfig = Callable[..., AgentConfig]
Pair = tuple[TaskAdapter, PreTrainedTokenizerBase]


@pytest.fixture
def dialogue(make_config: MakeConfig) -> Pair:
    """Give an agent that talks, and its tokenizer."""
    config = make_config("dialogue", instruction="a user")
    return get_adapter(config), agent_tokenizer(config)


def _windows(pair: Pair, turns: Sequence[str], **more: str) -> tuple[list[int], list[int], dict[str, int]]:
    adapter, tokenizer = pair
    columns = {"turns": pa.array([turns]), **{name: pa.array([value]) for name, value in more.items()}}
    encoding = adapter.encode(pa.table(columns), tokenizer)
    return encoding.windows["input_ids"][0].as_py(), encoding.windows["labels"][0].as_py(), encoding.unusable


def test_the_template_builds_the_prompt(dialogue: Pair):
    """The instruction is the system's message, the speakers alternate, and the reply's beginning is last."""
    ids, labels, _ = _windows(dialogue, ["so"])
    assert dialogue[1].decode(ids) == "<s> <unk> a user </s> <s> user so </s> <s> <unk>"
    assert labels == []


def test_only_the_reply_is_learned(dialogue: Pair):
    """What was said before is ignored; the reply ends with the end of a turn."""
    ids, labels, _ = _windows(dialogue, ["so"], target="good film")
    learned = [one for one in labels if one != IGNORED]
    assert dialogue[1].decode(learned) == "good film </s>"
    assert len(ids) == len(labels)
    assert ids[-len(learned) :] == learned


def test_a_long_chat_loses_its_oldest_turns(dialogue: Pair):
    """What is left begins with the user, fits, and is counted."""
    ids, _, counts = _windows(dialogue, ["a a a a a a", "so", "dull", "good", "film"])
    assert dialogue[1].decode(ids).endswith("</s> <s> user film </s> <s> <unk>")
    assert len(ids) <= 16
    assert counts == {"oldest turns left out": 1}


def test_a_long_turn_loses_its_beginning(dialogue: Pair):
    """The last 16 sub-words are read, and that is counted."""
    ids, _, counts = _windows(dialogue, ["a " * 40 + "film"])
    assert dialogue[1].decode(ids).endswith("a film </s> <s> <unk>")
    assert len(ids) == 16
    assert counts == {"input cut at max_length": 1}


@pytest.mark.parametrize("turns", range(2, 12))
def test_no_turn_is_lost_without_need(turns: int):
    """Bisection finds what trying every beginning would find."""
    rng = np.random.default_rng(turns)
    sizes = rng.integers(1, 9, (20, turns))

    def tokenized(chosen: np.ndarray, first: np.ndarray) -> list[list[int]]:
        return [[0] * int(sizes[row, begin:].sum()) for row, begin in zip(chosen, first, strict=True)]

    _, first = newest(np.full(20, turns), tokenized, 20)
    for row, begin in enumerate(first.tolist()):
        tries = [0, *range((turns - 1) % 2, turns, 2)]
        assert begin == next((f for f in tries if sizes[row, f:].sum() <= 20), turns - 1)


def test_a_model_without_a_template_has_a_plain_one(dialogue: Pair):
    """Speakers are named, a line a turn."""
    adapter, tokenizer = dialogue
    tokenizer.chat_template = None
    ids, _, _ = _windows((adapter, tokenizer), ["so", "good", "film"])
    assert tokenizer.decode(ids).startswith("<s> <unk> <unk> a user")


def test_a_template_that_refuses_is_an_error(dialogue: Pair):
    """Some templates know no system messages; the error says so."""
    adapter, tokenizer = dialogue
    tokenizer.chat_template = "{{ raise_exception('no system messages') }}"
    with pytest.raises(ConfigError, match=r"refuses a chat: no system messages\. Leave out `instruction`"):
        _windows((adapter, tokenizer), ["so"])


def test_prompt_and_reply_must_fit(make_config: MakeConfig):
    """A window holds both, so both count."""
    config = make_config("dialogue", max_length=50, max_new_tokens=20)
    with pytest.raises(ConfigError, match=r"50 and 20; .* has place for 64"):
        agent_tokenizer(config)
