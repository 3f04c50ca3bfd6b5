"""Columns of lists of strings, such as the turns of a dialogue: measuring and reading them."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.text_encoding import holds


def measure_turns(turns: pa.ListArray) -> dict[str, pa.Array]:
    """Count, row by row, turns and what is wrong with them.

    Returns:
        `turns` (null where there is no list), `empty_turns`, and `damaged`.
    """
    values, owners = turns.flatten(), pc.list_parent_indices(turns).to_numpy()
    blank = pc.equal(pc.binary_length(pc.utf8_trim_whitespace(values)), 0)
    damaged = holds(values, "\x00") | holds(values, "\ufffd")
    empty = owners[pc.fill_null(blank, True).to_numpy(zero_copy_only=False)]
    rows = len(turns)
    return {
        "turns": pc.list_value_length(turns),
        "empty_turns": pa.array(np.bincount(empty, minlength=rows)),
        "damaged": pa.array(np.bincount(owners[damaged], minlength=rows) > 0),
    }


def turns_of(column: pa.ChunkedArray) -> list[Sequence[str]]:
    """Give each row's turns; a row that lacks them has one, which is empty."""
    return [[turn or "" for turn in turns or [""]] for turns in column.to_pylist()]
