"""The kinds of models that become versions, and how each answers rows where it is loaded."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.io.model_package import Example, Flavour

if TYPE_CHECKING:
    import pandas as pd


def _predictions(folder: Path, rows: Sequence[Example]) -> "pd.DataFrame":
    from models.frames import predict_frame
    from models.predictor import Predictor

    return predict_frame(Predictor.load(folder), list(rows))


def _embeddings(folder: Path, rows: Sequence[Example]) -> "pd.DataFrame":
    from models.start_frames import StartEncoder

    return StartEncoder.load(folder).embed_frame([str(row) for row in rows])


AGENT = Flavour("pyfunc_agent.py", "models.frames", _predictions)
"""Predicts: a line of a frame a row."""

START = Flavour("pyfunc_start.py", "models.start_frames", _embeddings)
"""Embeds: what a start gives an agent to begin with."""
