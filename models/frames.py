"""Predictions as pandas frames, the form in which a registered model takes rows and answers."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from models.errors import DataError
from models.predictor import Predictor, as_table


def predict_frame(predictor: Predictor, rows: pd.DataFrame | Sequence[object]) -> pd.DataFrame:
    """Predict rows and give one line a row.

    Args:
        predictor: A loaded agent.
        rows: A frame with one column (`text`, or `tokens` where words are tagged), or a list of texts.

    Returns:
        What the adapter shows. Text: `label`, `confidence` and `probability_<class>`. Tags: `tokens`,
        `tags`, `confidence`, `confidences` and `entities` (label, text, first and last word).

    Raises:
        DataError: The frame has other columns, or an input is of the wrong type.
    """
    values = _values(rows) if isinstance(rows, pd.DataFrame) else list(rows)
    table = as_table(values, predictor.adapter)
    answers = predictor.adapter.show(table, predictor.predict(table))
    return pd.DataFrame({name: answers[name].to_pylist() for name in answers.column_names})


def _values(frame: pd.DataFrame) -> list[object]:
    """Take the one input column, lists in it as plain lists."""
    named = [column for column in frame.columns if column in ("text", "tokens", 0)]
    if len(named) != 1 or len(frame.columns) != 1:
        found = ", ".join(map(repr, frame.columns)) or "none"
        raise DataError(f"The frame's columns are {found}; give one column, 'text' or 'tokens'.")
    return [list(v) if isinstance(v, np.ndarray) else v for v in frame[named[0]].to_list()]
