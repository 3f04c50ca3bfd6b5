"""Rows with a list of choices each: the choices laid end to end, and the likeliest of each row."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.ragged import Ragged


def choices_of(rows: pa.Table) -> pa.ListArray:
    """Give each row's choices, nulls as empty."""
    column = rows["choices"].combine_chunks().cast(pa.list_(pa.string()))
    counts = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
    offsets = pa.array(np.concatenate([[0], np.cumsum(counts)]), pa.int32())
    return pa.ListArray.from_arrays(offsets, pc.fill_null(pc.list_flatten(column), ""))


def choose(choices: pa.ListArray, scores: np.ndarray) -> pa.Table:
    """Answer each row with its likeliest choice, by a softmax over its own; ties go to the first.

    Args:
        choices: (rows,) lists; a row without choices is answered by an empty text.
        scores: (choices,) of all rows' choices laid end to end.

    Returns:
        `answer`, `confidence`, and `probabilities` (list<float64>, one a choice).
    """
    counts = pc.list_value_length(choices).to_numpy(zero_copy_only=False).astype(np.int64)
    every = Ragged.from_lengths(scores.astype(np.float64), counts)
    top = np.full(len(counts), -np.inf)
    np.maximum.at(top, every.owners, every.values)
    chances = np.exp(every.values - top[every.owners])
    chances /= np.bincount(every.owners, chances, len(counts))[every.owners]
    order = np.lexsort((every.places, -chances, every.owners))
    best = np.full(len(counts), -1)
    best[counts > 0] = order[every.offsets[:-1][counts > 0]]
    answers = choices.flatten().take(pa.array(best, pa.int64(), mask=best < 0))
    return pa.table(
        {
            "answer": pc.fill_null(answers, ""),
            "confidence": pa.array(np.append(chances, 0.0)[best], pa.float64()),
            "probabilities": Ragged(chances, every.offsets).to_arrow(pa.float64()),
        }
    )


def right_choices(choices: pa.ListArray, answers: pa.Array) -> np.ndarray:
    """Tell which of the choices, laid end to end, is the row's answer, (choices,) bool: the first like it."""
    counts = pc.list_value_length(choices).to_numpy(zero_copy_only=False)
    owners = np.repeat(np.arange(len(choices)), counts)
    same = pc.fill_null(pc.equal(choices.flatten(), answers.take(pa.array(owners))), False)
    found: np.ndarray = same.to_numpy(zero_copy_only=False)
    first = np.zeros(len(found), bool)
    first[np.flatnonzero(found)[np.unique(owners[found], return_index=True)[1]]] = True
    return first
