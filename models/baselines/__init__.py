"""Plain methods to beat. An adapter names its own; a new one is a file and a line in BASELINES."""

from collections.abc import Callable

import pyarrow as pa

from models.adapters import get_adapter
from models.baselines.base import Baseline
from models.baselines.crf import Crf
from models.baselines.frequent_tag import FrequentTag
from models.baselines.text import Majority, TfidfLogistic
from models.schemas import AgentConfig

BASELINES: dict[str, Callable[[tuple[str, ...], int], Baseline]] = {
    "majority": Majority,
    "tfidf_logistic": TfidfLogistic,
    "frequent_tag": FrequentTag,
    "crf": Crf,
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
        name: BASELINES[name](config.labels, config.seed).fit(train).predict(held_out)
        for name in get_adapter(config).baselines
    }
