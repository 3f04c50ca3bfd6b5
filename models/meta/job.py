"""MetaJob: what the child process that meta-trains is told."""

import hashlib
import json

from models.encoder import encoder_digest
from models.schemas.start import EpisodeRows, StartConfig
from models.training.job import Job

START = "start"
_SHAPING = (
    "disjoint",
    "validation_share",
    "test_share",
    "max_length",
    "learner",
    "learner_settings",
    "meta_layers",
    "meta_rank",
    "meta_weights",
    "n_way",
    "k_shot",
    "n_query",
    "names",
    "unbalanced",
    "judged_way",
    "judged_shot",
    "meta_batch_size",
    "steps",
    "outer_lr",
    "learner_lr",
    "optimizer",
    "weight_decay",
    "evaluate_steps",
    "validation_episodes",
    "patience",
    "precision",
    "compiled",
    "seed",
)
"""The fields that change the weights."""


class MetaJob(Job):
    """One meta-training.

    Args:
        config: The start.
        rows: The tokenized rows of its sources.
    """

    config: StartConfig
    rows: EpisodeRows

    @property
    def digest(self) -> str:
        """Give the sha256 of all that shapes the weights; addresses do not count."""
        shaping = self.config.model_dump(mode="json", include=set(_SHAPING))
        pairs = zip(self.config.sources, self.rows.sources, strict=True)
        sources = [
            [wanted.weight, wanted.split, wanted.source.domain, given.agent.labels, given.encoded.digest]
            for wanted, given in pairs
        ]
        content = [shaping, sources, encoder_digest(self.config.encoder)]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
