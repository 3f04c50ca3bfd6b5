"""PretrainJob: what the child process that pretrains is told."""

import hashlib
import json

from models.encoder import encoder_digest
from models.schemas import ArtifactRef
from models.schemas.pretrain import PretrainConfig
from models.training.job import Job

START = "start"
_SHAPING = (
    "objective",
    "layers",
    "width",
    "heads",
    "block_length",
    "masking_share",
    "span_length",
    "epochs",
    "steps",
    "head_steps",
    "tokens_per_batch",
    "learning_rate",
    "head_learning_rate",
    "weight_decay",
    "warmup_share",
    "max_grad_norm",
    "evaluate_steps",
    "patience",
    "precision",
    "seed",
)
"""The fields that change the weights; those of tokenizer and splits count with the packed texts."""


class PretrainJob(Job):
    """One pretraining.

    Args:
        config: The start.
        packed: The folder of its packed corpus.
    """

    config: PretrainConfig
    packed: ArtifactRef

    @property
    def digest(self) -> str:
        """Give the sha256 of all that shapes the weights; addresses do not count."""
        shaping = self.config.model_dump(mode="json", include=set(_SHAPING))
        model = None if self.config.from_scratch else encoder_digest(self.config.encoder)
        content = [shaping, self.packed.digest, model]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
