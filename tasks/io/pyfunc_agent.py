"""The script that MLflow stores with every version and runs to load it ("models from code").

It runs where a model is loaded, with only the version's requirements installed, so it imports nothing of
ours but `models`, which travels in the version's wheel. Importing it elsewhere is of no use.
"""

from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from models.frames import predict_frame
from models.predictor import Predictor


class PyfuncAgent(PythonModel):
    """An agent as MLflow loads it: texts in, one line of a frame a text out."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the agent's folder of safetensors and JSON."""
        self._predictor = Predictor.load(Path(context.artifacts["model"]))

    def predict(
        self,
        context: PythonModelContext,  # noqa: ARG002 - MLflow's signature
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> pd.DataFrame:
        """Predict a list of texts, or a frame with the one column `text` (or `tokens`)."""
        return predict_frame(self._predictor, model_input)


mlflow.models.set_model(PyfuncAgent())
