"""The script that MLflow stores with every version of a start; see `pyfunc_agent.py`."""

from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from models.start_frames import StartEncoder


class PyfuncStart(PythonModel):
    """A start as MLflow loads it: texts in, one embedding a text out."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the start's encoder."""
        self._encoder = StartEncoder.load(Path(context.artifacts["model"]))

    def predict(
        self,
        context: PythonModelContext,  # noqa: ARG002 - MLflow's signature
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> pd.DataFrame:
        """Embed a list of texts, or a frame with the one column `text`."""
        return self._encoder.embed_frame(model_input)


mlflow.models.set_model(PyfuncStart())
