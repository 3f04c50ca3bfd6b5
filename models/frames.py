"""Predictions as pandas frames, the form in which a registered model takes rows and answers."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from models.adapters import TaskAdapter
from models.adapters.bio import find_spans
from models.errors import DataError
from models.predictor import Predictor, as_table
from models.ragged import Ragged

PROBABILITY = "probability_"
"""A class's column is this and the class."""


def predict_frame(predictor: Predictor, rows: pd.DataFrame | Sequence[object]) -> pd.DataFrame:
    """Predict rows and give one line a row.

    Args:
        predictor: A loaded agent.
        rows: A frame with one column (`text`, or `tokens` where words are tagged), or a list of texts.

    Returns:
        Text: `label`, `confidence` and `probability_<class>`. Tags: `tokens`, `tags`, `confidence`,
        `confidences` and `entities` (label, text, first and last word).

    Raises:
        DataError: The frame has other columns, or an input is of the wrong type.
    """
    values = _values(rows) if isinstance(rows, pd.DataFrame) else list(rows)
    table = as_table(values, predictor.adapter)
    answers = as_frame(table, predictor.predict(table), predictor.adapter)
    return pd.DataFrame({name: answers[name].to_pylist() for name in answers.column_names})


def as_frame(rows: pa.Table, predictions: pa.Table, adapter: TaskAdapter) -> pa.Table:
    """Turn an adapter's predictions of `rows` into the columns that a user sees."""
    if adapter.pools:
        flat = predictions["probabilities"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
        shares = flat.reshape(-1, len(adapter.outputs))
        columns = {f"{PROBABILITY}{name}": shares[:, i] for i, name in enumerate(adapter.outputs)}
        return pa.table({**_columns(predictions, "label", "confidence"), **columns})
    entities = _entities(rows["tokens"].combine_chunks(), predictions["tags"].combine_chunks(), adapter)
    shown = _columns(predictions, "tags", "confidence", "confidences")
    return pa.table({"tokens": rows["tokens"], **shown, "entities": entities})


def _columns(table: pa.Table, *names: str) -> dict[str, pa.ChunkedArray]:
    return {name: table[name] for name in names}


def _values(frame: pd.DataFrame) -> list[object]:
    """Take the one input column, lists in it as plain lists."""
    named = [column for column in frame.columns if column in ("text", "tokens", 0)]
    if len(named) != 1 or len(frame.columns) != 1:
        found = ", ".join(map(repr, frame.columns)) or "none"
        raise DataError(f"The frame's columns are {found}; give one column, 'text' or 'tokens'.")
    return [list(v) if isinstance(v, np.ndarray) else v for v in frame[named[0]].to_list()]


def _entities(tokens: pa.ListArray, tags: pa.ListArray, adapter: TaskAdapter) -> pa.ListArray:
    """Join tags into entities: a list of structs a row."""
    offsets = np.concatenate([[0], np.cumsum(pc.list_value_length(tags).to_numpy(zero_copy_only=False))])
    ids = pc.index_in(tags.flatten(), value_set=pa.array(adapter.outputs)).to_numpy(zero_copy_only=False)
    spans = find_spans(Ragged(ids.astype(np.int64), offsets.astype(np.int64)))
    lengths = spans.ends - spans.starts
    ends = np.concatenate([[0], np.cumsum(lengths)])
    words = np.arange(ends[-1]) - np.repeat(ends[:-1] - spans.starts, lengths)
    texts = pa.ListArray.from_arrays(pa.array(ends, pa.int32()), tokens.flatten().take(pa.array(words)))
    fields = {
        "label": pa.array(adapter.config.labels).take(pa.array(spans.types)),
        "text": pc.binary_join(texts, " "),
        "first": pa.array(spans.starts - offsets[spans.rows], pa.int64()),
        "last": pa.array(spans.ends - 1 - offsets[spans.rows], pa.int64()),
    }
    structs = pa.StructArray.from_arrays(list(fields.values()), names=list(fields))
    counts = np.bincount(spans.rows, minlength=len(tags))
    return pa.ListArray.from_arrays(pa.array(np.concatenate([[0], np.cumsum(counts)]), pa.int32()), structs)
