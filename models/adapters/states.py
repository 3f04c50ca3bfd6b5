"""States of dialogues: lists of `slot=value`, with `|` between values that are as good, and their texts."""

from collections.abc import Collection, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

NOTHING = "none"


def measure_states(states: pa.ListArray) -> dict[str, pa.Array]:
    """Count entries (null where there is no list), and those that are not `slot=value` or hold a `;`."""
    values, owners = states.flatten(), pc.list_parent_indices(states).to_numpy()
    good = pc.fill_null(pc.match_substring_regex(values, r"^[^=;]*[^=;\s][^=;]*=[^;]*[^;\s|][^;]*$"), False)
    broken = owners[~good.to_numpy(zero_copy_only=False)]
    return {
        "state": pc.list_value_length(states),
        "broken_state": pa.array(np.bincount(broken, minlength=len(states))),
    }


def as_text(state: Sequence[str]) -> str:
    """Write a state as one text, the first value of each slot."""
    return "; ".join(entry.partition("|")[0].strip() for entry in state) or NOTHING


def read_state(text: str, slots: Collection[str]) -> list[str]:
    """Read a state from a text: the first value of each slot that is known, in the text's order."""
    found: dict[str, str] = {}
    for entry in text.split(";"):
        slot, equals, value = (part.strip() for part in entry.partition("="))
        if equals and value and slot in slots:
            found.setdefault(slot, value)
    return [f"{slot}={value}" for slot, value in found.items()]


def right_slots(truth: Sequence[str], written: Sequence[str]) -> int:
    """Count the slots whose value is one of the true ones."""
    values = _values(truth)
    return sum(bool(one & values.get(slot, set())) for slot, one in _values(written).items())


def same_state(truth: Sequence[str], written: Sequence[str]) -> bool:
    """Tell whether the same slots are filled, each with a true value."""
    return len(_values(truth)) == len(_values(written)) == right_slots(truth, written)


def _values(state: Sequence[str]) -> dict[str, set[str]]:
    pairs = [entry.partition("=") for entry in state]
    return {slot.strip(): {_plain(one) for one in values.split("|")} for slot, _, values in pairs}


def _plain(value: str) -> str:
    return " ".join(value.casefold().split())
