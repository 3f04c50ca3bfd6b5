"""States of dialogues: how they are written, read and compared."""

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pytest

from models.adapters import get_adapter
from models.adapters.dialogue_state import DialogueState
from models.adapters.states import as_text, measure_states, read_state, right_slots, same_state
from models.metrics import SCORERS
from models.schemas import AgentConfig
from models.task_model import agent_tokenizer

LISTS = pa.list_(pa.string())


def test_a_state_is_written_with_its_first_values():
    """An empty one has a word of its own."""
    assert as_text(["time=11:30|half past 11", "seats = 2"]) == "time=11:30; seats = 2"
    assert as_text([]) == "none"


def test_only_known_slots_are_read():
    """What has no value, or is none of the row's slots, is left out; the first value of a slot counts."""
    text = "time = 11:30; seats=; seats=2; seats=3; colour=red; nonsense"
    assert read_state(text, {"time", "seats"}) == ["time=11:30", "seats=2"]


@pytest.mark.parametrize(
    ("truth", "written", "right", "same"),
    [
        (["a=1"], ["a=1"], 1, True),
        (["a=One |1"], ["a=one"], 1, True),
        (["a=1", "b=2"], ["a=1"], 1, False),
        (["a=1"], ["a=1", "b=2"], 1, False),
        (["a=1"], ["a=2"], 0, False),
        ([], [], 0, True),
        ([], ["a=1"], 0, False),
    ],
)
def test_states_are_compared_slot_by_slot(truth: list[str], written: list[str], right: int, same: bool):
    """Case and blanks do not count, the order neither."""
    assert right_slots(truth, written) == right
    assert same_state(truth, written) is same


def test_a_broken_state_is_seen():
    """An entry needs a slot and a value, and no semicolon."""
    states = pa.array([["a=1", "b=x y"], ["a"], ["=1"], ["a="], ["a=1;b=2"], [], None], LISTS)
    assert measure_states(states)["broken_state"].to_pylist() == [0, 1, 1, 1, 1, 0, 0]
    assert measure_states(states)["state"].to_pylist()[-2:] == [0, None]


def test_slots_and_states_are_scored(make_config: Callable[..., AgentConfig]):
    """By hand: two of three states; three slots right, one made up, one missed."""
    adapter = get_adapter(make_config("dialogue_state"))
    truth = [["a=1", "b=2"], ["a=1", "b=3"], []]
    written = [["b=2", "a=1"], ["a=1", "c=3"], []]
    rows = pa.table({"state": pa.array(truth, LISTS)})
    predictions = pa.table({"state": pa.array(written, LISTS), "confidence": np.ones(3)})
    assert adapter.metrics(rows, predictions) == {
        "joint_goal_accuracy": pytest.approx(2 / 3),
        "slot_f1": pytest.approx(6 / 8),
    }
    scores = SCORERS["states"](adapter, rows, predictions).metrics
    assert scores["slot_f1"].value == pytest.approx(6 / 8)


def _prompt(config: AgentConfig, turns: Sequence[str]) -> str:
    adapter = get_adapter(config)
    assert isinstance(adapter, DialogueState)
    rows = pa.table({"turns": pa.array([turns]), "slots": pa.array([["film: a film"]])})
    tokenizer = agent_tokenizer(config)
    return tokenizer.decode(adapter.encode(rows, tokenizer).windows["input_ids"][0].as_py())


def test_slots_stay_when_old_turns_go(make_config: Callable[..., AgentConfig]):
    """What may be filled is read first; the newest turns follow it."""
    found = _prompt(make_config("dialogue_state", max_length=15), ["good good good", "so", "dull"])
    assert found == "<unk> <unk> film <unk> a film <unk> <unk> user <unk> dull </s>"
