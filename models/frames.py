"""Predictions as pandas frames, the form in which a registered model takes rows and answers."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from models.errors import DataError
from models.predictor import Predictor, as_table


def predict_frame(predictor: Predictor, rows: pd.DataFrame | Sequence[object]) -> pd.DataFrame:
    """Predict rows and give one line a row.

    Args:
        predictor: A loaded agent.
        rows: A frame with the adapter's inputs as columns (`text`, or `tokens` where words are tagged), a
            list of texts, or a list of mappings where there are several inputs.

    Returns:
        What the adapter shows. Text: `label`, `confidence` and `probability_<class>`. Tags: `tokens`,
        `tags`, `confidence`, `confidences` and `entities` (label, text, first and last word).

    Raises:
        DataError: The frame has other columns, or an input is of the wrong type.
    """
    names = predictor.adapter.inputs().names
    values = _values(rows, names) if isinstance(rows, pd.DataFrame) else list(rows)
    table = as_table(values, predictor.adapter)
    answers = predictor.adapter.show(table, predictor.predict(table))
    return pd.DataFrame({name: answers[name].to_pylist() for name in answers.column_names})


def _values(frame: pd.DataFrame, names: Sequence[str]) -> list[Any]:
    """Take the inputs, lists in them as plain lists; a single one may come without its name."""
    columns = frame.columns.to_list()
    if len(names) == 1 and len(columns) == 1 and columns[0] in (*names, "text", 0):
        return [_plain(value) for value in frame[columns[0]].to_list()]
    if sorted(map(str, columns)) != sorted(names):
        found = ", ".join(map(repr, columns)) or "none"
        wanted = ", ".join(map(repr, names))
        raise DataError(f"The frame's columns are {found}; give {wanted}.")
    lists = {name: map(_plain, frame[name].to_list()) for name in names}
    rows = [dict(zip(names, values, strict=True)) for values in zip(*lists.values(), strict=True)]
    return rows if len(names) > 1 else [row[names[0]] for row in rows]


def _plain(value: object) -> object:
    return value.tolist() if isinstance(value, np.ndarray) else value
