"""The language model: one that goes on learning, or a new one, with its head and its tokenizer."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import (
    MODEL_FOR_CAUSAL_LM_MAPPING,
    MODEL_FOR_MASKED_LM_MAPPING,
    MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING,
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForSeq2SeqLM,
    BertConfig,
    LlamaConfig,
    PretrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    T5Config,
)

from models.encoder import encoder_folder, load_tokenizer
from models.errors import ConfigError
from models.pretrained import clear_errors, quiet
from models.schemas.families import EXAMPLES
from models.schemas.pretrain import FAMILY, ObjectiveName, PretrainConfig

_LEAST_POSITIONS = 512
_AUTO: dict[str, Any] = {
    "masked_lm": AutoModelForMaskedLM,
    "causal_lm": AutoModelForCausalLM,
    "span_denoising": AutoModelForSeq2SeqLM,
}


@dataclass(frozen=True)
class LanguageModel:
    """A model with the head that its objective needs.

    Args:
        model: The whole of it, in float32.
        tokenizer: Its tokenizer.
        fresh_head: Whether the model's files lack the head, which has learned nothing then.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    fresh_head: bool = False

    def head(self) -> dict[str, Tensor]:
        """Give the weights outside of what an agent stands on; none where that is the whole model."""
        body = {id(weight) for weight in self.model.base_model.parameters()}
        return {name: w for name, w in self.model.named_parameters() if id(w) not in body}

    def put_head(self, weights: dict[str, Tensor]) -> None:
        """Set the head's weights.

        Raises:
            ConfigError: They are those of another head.
        """
        own = self.head()
        if own.keys() != weights.keys() or any(own[n].shape != w.shape for n, w in weights.items()):
            raise ConfigError(f"The stored head does not fit {type(self.model).__name__}; pretrain again.")
        with torch.no_grad():
            for name, weight in weights.items():
                own[name].copy_(weight)


def load_language_model(name: str, objective: ObjectiveName, seed: int = 0) -> LanguageModel:
    """Load a pretrained model with the head that an objective needs, and its fast tokenizer.

    Args:
        name: The default encoder's id, a local folder, or a Hugging Face id.
        objective: What it is trained to predict.
        seed: Seed of a head which the files lack.

    Raises:
        ConfigError: It can not be loaded, lacks weights, or is of another kind than the objective needs.
    """
    place = encoder_folder(name) or name
    with quiet(), clear_errors(name), torch.random.fork_rng(devices=[]):
        config = AutoConfig.from_pretrained(place)
        _check_kind(name, config, objective)
        torch.manual_seed(seed)
        model, info = _AUTO[objective].from_pretrained(
            place, dtype=torch.float32, use_safetensors=True, output_loading_info=True
        )
    body = f"{model.base_model_prefix}."
    missing = {str(key) for key in {*info["missing_keys"], *info["mismatched_keys"]}}
    lost = sorted(key for key in missing if key.startswith(body) or objective != "masked_lm")
    if lost:
        raise ConfigError(
            f"Encoder {name!r} lacks usable weights for {lost[0]} and {len(lost) - 1} more, which would "
            "start at random. Name a checkpoint of the architecture that its config.json describes."
        )
    return LanguageModel(model, load_tokenizer(name), fresh_head=bool(missing))


def new_language_model(config: PretrainConfig, tokenizer: PreTrainedTokenizerBase) -> LanguageModel:
    """Make a model of the described size, its weights drawn from the seed: a BERT, a Llama or a T5."""
    make = {"masked_lm": _bert, "causal_lm": _llama, "span_denoising": _t5}[config.objective]
    with quiet(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        model: PreTrainedModel = _AUTO[config.objective].from_config(
            make(config, tokenizer), dtype=torch.float32
        )
    return LanguageModel(model, tokenizer)


def _bert(config: PretrainConfig, tokenizer: PreTrainedTokenizerBase) -> PretrainedConfig:
    return BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=config.width,
        num_hidden_layers=config.layers or 1,
        num_attention_heads=config.heads,
        intermediate_size=4 * config.width,
        max_position_embeddings=max(_LEAST_POSITIONS, config.block_length),
        pad_token_id=tokenizer.pad_token_id,
    )


def _llama(config: PretrainConfig, tokenizer: PreTrainedTokenizerBase) -> PretrainedConfig:
    return LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=config.width,
        num_hidden_layers=config.layers or 1,
        num_attention_heads=config.heads,
        intermediate_size=8 * config.width // 3,
        max_position_embeddings=max(_LEAST_POSITIONS, config.block_length),
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.eos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        tie_word_embeddings=True,
    )


def _t5(config: PretrainConfig, tokenizer: PreTrainedTokenizerBase) -> PretrainedConfig:
    made: Any = T5Config  # it takes what its base does, and does not say so
    found: PretrainedConfig = made(
        vocab_size=len(tokenizer),
        d_model=config.width,
        d_kv=config.width // config.heads,
        d_ff=4 * config.width,
        num_layers=config.layers or 1,
        num_decoder_layers=config.layers or 1,
        num_heads=config.heads,
        feed_forward_proj="gated-gelu",
        pad_token_id=tokenizer.pad_token_id,
        decoder_start_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    return found


def _check_kind(name: str, config: PretrainedConfig, objective: ObjectiveName) -> None:
    """Refuse a model whose attention does not see what the objective lets it see."""
    kind = type(config)
    fits = {
        "masked_lm": kind in MODEL_FOR_MASKED_LM_MAPPING and not config.is_encoder_decoder,
        # Encoders have a causal class too, which looks one way only if it was trained to.
        "causal_lm": kind in MODEL_FOR_CAUSAL_LM_MAPPING and kind not in MODEL_FOR_MASKED_LM_MAPPING,
        "span_denoising": kind in MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING and config.is_encoder_decoder,
    }
    if not fits[objective]:
        others = [one for one, is_fit in fits.items() if is_fit]
        instead = f"or set objective: {others[0]}" if others else "there is no objective for this one"
        raise ConfigError(
            f"Encoder {name!r} ({config.model_type}) can not learn by {objective}. Name "
            f"{EXAMPLES[FAMILY[objective]]}; {instead}."
        )
