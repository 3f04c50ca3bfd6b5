"""Plain methods to beat. An adapter names its own; a new one is a file and a line in BASELINES."""

from collections.abc import Callable

import pyarrow as pa

from models.adapters import TaskAdapter, get_adapter
from models.baselines.base import Baseline
from models.baselines.choices import LikestChoice, LongestChoice
from models.baselines.crf import Crf
from models.baselines.frequent_tag import FrequentTag
from models.baselines.label_sets import CommonestLabels, TfidfLabels
from models.baselines.likest_sentence import LikestSentence
from models.baselines.roles import Roles
from models.baselines.text import Majority, TfidfLogistic
from models.baselines.written import Commonest, Copy, EmptyList, Lead, Nearest
from models.schemas import AgentConfig

BASELINES: dict[str, Callable[[TaskAdapter], Baseline]] = {
    "majority": lambda adapter: Majority(adapter.config.labels, adapter.config.seed),
    "tfidf_logistic": lambda adapter: TfidfLogistic(
        adapter.config.labels, adapter.config.seed, adapter.texts
    ),
    "commonest_labels": lambda adapter: CommonestLabels(adapter.config.labels),
    "frequent_role": lambda adapter: Roles(adapter, FrequentTag),
    "crf_roles": lambda adapter: Roles(adapter, Crf),
    "longest_choice": lambda _adapter: LongestChoice(),
    "likest_choice": lambda adapter: LikestChoice(adapter.config.seed),
    "tfidf_labels": lambda adapter: TfidfLabels(adapter.config.labels, adapter.config.seed),
    "frequent_tag": lambda adapter: FrequentTag(adapter.config.labels, adapter.config.seed),
    "crf": lambda adapter: Crf(adapter.config.labels, adapter.config.seed),
    "commonest": Commonest,
    "copy": Copy,
    "empty_list": EmptyList,
    "lead": Lead,
    "nearest": Nearest,
    "likest_sentence": LikestSentence,
}

__all__ = [
    "BASELINES",
    "Baseline",
    "Commonest",
    "CommonestLabels",
    "Copy",
    "Crf",
    "EmptyList",
    "FrequentTag",
    "Lead",
    "LikestChoice",
    "LikestSentence",
    "LongestChoice",
    "Majority",
    "Nearest",
    "Roles",
    "TfidfLabels",
    "TfidfLogistic",
    "predict_baselines",
]


def predict_baselines(config: AgentConfig, train: pa.Table, held_out: pa.Table) -> dict[str, pa.Table]:
    """Fit every baseline of the agent's task type and let it answer the held-out rows.

    Args:
        config: The agent; its adapter, labels and seed are used.
        train: Labelled rows in a snapshot's schema.
        held_out: Rows to answer.

    Returns:
        Prediction columns of each baseline, by its name.
    """
    adapter = get_adapter(config)
    return {name: BASELINES[name](adapter).fit(train).predict(held_out) for name in adapter.baselines}
