"""What is predicted from what: one file an objective."""

from transformers import PreTrainedTokenizerBase

from models.pretrain.objectives.base import LOGITS_AT_ONCE, Objective
from models.pretrain.objectives.masked_words import MaskedWords
from models.pretrain.objectives.next_words import NextWords
from models.pretrain.objectives.spans import Spans
from models.schemas.pretrain import PretrainConfig

__all__ = ["LOGITS_AT_ONCE", "OBJECTIVES", "Objective", "make_objective"]

OBJECTIVES: dict[str, type[Objective]] = {
    "masked_lm": MaskedWords,
    "causal_lm": NextWords,
    "span_denoising": Spans,
}


def make_objective(config: PretrainConfig, tokenizer: PreTrainedTokenizerBase) -> Objective:
    """Make the objective of a description.

    Raises:
        ConfigError: The tokenizer lacks what the objective needs.
    """
    return OBJECTIVES[config.objective](config, tokenizer)
