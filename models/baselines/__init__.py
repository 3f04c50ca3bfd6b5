"""Plain methods to beat; which of them a task type has is one line in BASELINES."""

from collections.abc import Callable

import pyarrow as pa

from models.baselines.base import Baseline
from models.baselines.crf import Crf
from models.baselines.frequent_tag import FrequentTag
from models.baselines.text import Majority, TfidfLogistic
from models.schemas import AgentConfig
from models.schemas.agent import AdapterName

BASELINES: dict[AdapterName, dict[str, Callable[[tuple[str, ...], int], Baseline]]] = {
    "text_classification": {"majority": Majority, "tfidf_logistic": TfidfLogistic},
    "token_classification": {"frequent_tag": FrequentTag, "crf": Crf},
}

__all__ = ["BASELINES", "Baseline", "Crf", "FrequentTag", "Majority", "TfidfLogistic", "predict_baselines"]


def predict_baselines(config: AgentConfig, train: pa.Table, held_out: pa.Table) -> dict[str, pa.Table]:
    """Fit every baseline of the agent's task type and let it answer the held-out rows.

    Args:
        config: The agent; its adapter, labels and seed are used.
        train: Labelled rows in a snapshot's schema.
        held_out: Rows to answer.

    Returns:
        Prediction columns of each baseline, by its name.
    """
    return {
        name: make(config.labels, config.seed).fit(train).predict(held_out)
        for name, make in BASELINES[config.adapter].items()
    }
