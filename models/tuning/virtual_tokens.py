"""Prompt and prefix tuning: learned vectors in front of what a frozen model reads."""

from dataclasses import dataclass
from inspect import signature
from typing import Any, ClassVar

from torch import nn
from transformers import PreTrainedModel

from models.encoder import longest_window
from models.tuning.base import TuningMethod
from models.tuning.library import peft, put_in_front
from models.tuning.targets import output_embeddings

_ENCODER, _SEQ2SEQ, _CAUSAL = "FEATURE_EXTRACTION", "SEQ_2_SEQ_LM", "CAUSAL_LM"


@dataclass(frozen=True)
class _VirtualTokens(TuningMethod):
    """What both have in common.

    Args:
        tokens: How many learned sub-words.
        max_length: Longest window in sub-words, which they add to.
    """

    libraries: ClassVar[tuple[str, ...]] = ("peft",)
    neutral: ClassVar[bool] = False
    needs: ClassVar[str]

    tokens: int
    max_length: int

    def misfit(self, pretrained: PreTrainedModel) -> str | None:
        """Refuse a model that takes no such vectors, or has no room for them."""
        if self.needs not in signature(pretrained.forward).parameters:
            return f"its forward takes no {self.needs}"
        longest = longest_window(pretrained.config)
        if longest is not None and self.tokens + self.max_length > longest:
            return f"it reads {longest} sub-words, and max_length {self.max_length} leaves no {self.tokens}"
        return None


@dataclass(frozen=True)
class Prompt(_VirtualTokens):
    """Learn the embeddings of a few sub-words that stand in front of every window; by `peft`.

    Lester, Al-Rfou and Constant, "The Power of Scale for Parameter-Efficient Prompt Tuning", 2021,
    arXiv:2104.08691, sec. 2: P of (tokens, dim) is trained, in [P; X]. What an encoder answers at their
    places is left out.
    """

    needs: ClassVar[str] = "inputs_embeds"

    def misfit(self, pretrained: PreTrainedModel) -> str | None:
        """Refuse a causal model too, whose padded rows would be written on as from another place."""
        if _kind(pretrained) == _CAUSAL:
            return "the library drops the places of padded sub-words when it writes on behind learned ones"
        return super().misfit(pretrained)

    def apply(self, pretrained: PreTrainedModel) -> nn.Module:
        """Put the vectors in front of what the encoder reads."""
        settings = peft().PromptTuningConfig(
            task_type=_kind(pretrained),
            num_virtual_tokens=self.tokens,
            num_transformer_submodules=1,
            token_dim=_width(pretrained),
            num_layers=pretrained.config.num_hidden_layers,
            num_attention_heads=pretrained.config.num_attention_heads,
        )
        tuned = put_in_front(pretrained, settings)
        if _kind(pretrained) == _ENCODER:
            tuned.register_forward_hook(self._cut)
        return tuned

    def _cut(self, module: nn.Module, inputs: Any, output: Any) -> Any:  # noqa: ANN401 - torch's hook
        """Leave the hidden states at the learned places out."""
        del module, inputs
        output.last_hidden_state = output.last_hidden_state[:, self.tokens :]
        return output


@dataclass(frozen=True)
class Prefix(_VirtualTokens):
    """Learn keys and values of a few sub-words that every layer attends to; by `peft`.

    Li and Liang, "Prefix-Tuning: Optimizing Continuous Prompts for Generation", 2021, arXiv:2101.00190, eq.
    3, without the reparametrization of sec. 4.3: the vectors themselves are trained. In an encoder-decoder it
    is the decoder's layers that attend to them.
    """

    needs: ClassVar[str] = "past_key_values"

    def apply(self, pretrained: PreTrainedModel) -> nn.Module:
        """Put the keys and values in front."""
        config = pretrained.config
        # T5's heads need not add up to its width, as the library takes for granted.
        width = config.num_attention_heads * config.d_kv if hasattr(config, "d_kv") else None
        settings = peft().PrefixTuningConfig(
            task_type=_kind(pretrained), num_virtual_tokens=self.tokens, token_dim=width
        )
        return put_in_front(pretrained, settings)


def _width(pretrained: PreTrainedModel) -> int:
    """Give the size of a sub-word's embedding, which need not be that of hidden states."""
    table: Any = pretrained.get_input_embeddings()
    return int(table.weight.shape[1])


def _kind(pretrained: PreTrainedModel) -> str:
    """Tell the library what the model does."""
    if output_embeddings(pretrained) is None:
        return _ENCODER
    return _SEQ2SEQ if pretrained.config.is_encoder_decoder else _CAUSAL
