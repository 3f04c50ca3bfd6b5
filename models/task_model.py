"""TaskModel: an encoder with a linear head, and how both are built, stored and loaded.

A stored model is a folder of safetensors and JSON that needs neither the encoder's origin nor a hub.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_model, save_model
from torch import Tensor, nn
from transformers import AutoConfig, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from models.adapters import get_adapter
from models.encoder import check_length, load_encoder_model, load_tokenizer, new_encoder
from models.errors import ArtifactError
from models.pretrained import quiet
from models.schemas import AgentConfig

WEIGHTS, AGENT, ENCODER, TOKENIZER = "model.safetensors", "agent.json", "encoder", "tokenizer"
_NEEDED = (WEIGHTS, AGENT, f"{ENCODER}/config.json", f"{TOKENIZER}/tokenizer.json")
_HEAD_STD = 0.02


class TaskModel(nn.Module):
    """Score windows, or their sub-words, for one task.

    Args:
        encoder: Gives `last_hidden_state` (batch, length, dim).
        outputs: Size of the head.
        pools: Whether a window is mean-pooled to one score vector.
        unit: Whether features are scaled to length 1 before the head.
    """

    def __init__(self, encoder: PreTrainedModel, outputs: int, pools: bool, unit: bool = False) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(float(getattr(encoder.config, "hidden_dropout_prob", 0.1)))
        self.head = nn.Linear(encoder.config.hidden_size, outputs, device="meta").to_empty(device="cpu")
        self.pools, self.unit = pools, unit

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """Score windows.

        Args:
            input_ids: (batch, length).
            attention_mask: (batch, length), 0 at padding; None where nothing is padded, which is faster.

        Returns:
            (batch, outputs) if the model pools, else (batch, length, outputs).
        """
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        if self.pools:
            hidden = mean_pool(hidden, attention_mask)
        if self.unit:
            hidden = nn.functional.normalize(hidden, dim=-1)
        scores: Tensor = self.head(self.dropout(hidden))
        return scores


@dataclass(frozen=True)
class SavedAgent:
    """What a stored model folder holds; `model` is in evaluation mode."""

    model: TaskModel
    tokenizer: PreTrainedTokenizerBase
    config: AgentConfig


def mean_pool(hidden: Tensor, attention_mask: Tensor | None) -> Tensor:
    """Average (batch, length, dim) over the positions that are not padding, to (batch, dim)."""
    if attention_mask is None:
        return hidden.mean(dim=1)
    mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1)


def build(config: AgentConfig) -> tuple[TaskModel, PreTrainedTokenizerBase]:
    """Build an agent's model from its pretrained encoder; the head starts from the config's seed.

    Raises:
        ConfigError: The encoder can not be loaded or is shorter than `max_length`.
    """
    tokenizer = agent_tokenizer(config)
    encoder = load_encoder_model(config.encoder)
    adapter = get_adapter(config)
    model = TaskModel(encoder, len(adapter.outputs), adapter.pools, config.unit_features)
    generator = torch.Generator().manual_seed(config.seed)
    nn.init.normal_(model.head.weight, std=_HEAD_STD, generator=generator)
    nn.init.zeros_(model.head.bias)
    return model, tokenizer


def agent_tokenizer(config: AgentConfig) -> PreTrainedTokenizerBase:
    """Load the tokenizer of an agent's encoder, set up for its task.

    Raises:
        ConfigError: It can not be loaded, or the encoder is shorter than `max_length`.
    """
    tokenizer = load_tokenizer(config.encoder, split_words=not get_adapter(config).pools)
    check_length(config.encoder, tokenizer, config.max_length)
    return tokenizer


def save(folder: Path, model: TaskModel, tokenizer: PreTrainedTokenizerBase, config: AgentConfig) -> None:
    """Store a model in `folder`, which is made if need be, as safetensors and JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    # Truncation belongs to a call; left in, it would be stored as the tokenizer's own.
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()
    tokenizer.save_pretrained(folder / TOKENIZER)
    model.encoder.config.save_pretrained(folder / ENCODER)
    save_model(model, str(folder / WEIGHTS))
    (folder / AGENT).write_text(config.model_dump_json(indent=2) + "\n", encoding="utf-8")


def load(folder: Path) -> SavedAgent:
    """Load what `save` stored, in evaluation mode.

    Raises:
        ArtifactError: A file is missing, unreadable, or does not fit the others.
    """
    missing = [name for name in _NEEDED if not (folder / name).is_file()]
    if missing:
        raise ArtifactError(
            f"{folder} is not a complete model: {', '.join(missing)} missing of {', '.join(_NEEDED)}. "
            "Train it again, or fetch it again from the registry."
        )
    try:
        with quiet():
            agent = _read(folder)
    except Exception as error:  # tokenizers raises plain Exception for a broken tokenizer.json
        reason = " ".join(str(error).split())[:400]
        raise ArtifactError(
            f"The model in {folder} can not be loaded: {reason}. Train it again, or fetch it again from the "
            "registry."
        ) from error
    return agent


def _read(folder: Path) -> SavedAgent:
    config = AgentConfig.model_validate_json((folder / AGENT).read_bytes())
    tokenizer = AutoTokenizer.from_pretrained(folder / TOKENIZER, local_files_only=True)
    encoder = new_encoder(AutoConfig.from_pretrained(folder / ENCODER, local_files_only=True))
    adapter = get_adapter(config)
    model = TaskModel(encoder, len(adapter.outputs), adapter.pools, config.unit_features)
    load_model(model, folder / WEIGHTS, strict=True)
    return SavedAgent(model.eval(), tokenizer, config)
