"""An agent's model: how a network is built with its tokenizer, stored and loaded.

A stored model is a folder of safetensors and JSON that needs neither the encoder's origin nor a hub.
"""

from dataclasses import dataclass
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import load_model, save_model
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from models.adapters import get_adapter
from models.encoder import check_length, load_tokenizer
from models.errors import ArtifactError
from models.networks import NETWORKS, Network
from models.pretrained import quiet
from models.schemas import AgentConfig
from models.tied import untie

WEIGHTS, AGENT, ENCODER, TOKENIZER = "model.safetensors", "agent.json", "encoder", "tokenizer"
_NEEDED = (WEIGHTS, AGENT, f"{ENCODER}/config.json", f"{TOKENIZER}/tokenizer.json")


@dataclass(frozen=True)
class SavedAgent:
    """What a stored model folder holds; `model` is in evaluation mode."""

    model: Network
    tokenizer: PreTrainedTokenizerBase
    config: AgentConfig


def build(config: AgentConfig) -> tuple[Network, PreTrainedTokenizerBase]:
    """Build an agent's network from pretrained weights, and its tokenizer.

    Raises:
        ConfigError: The pretrained model can not be loaded or is shorter than `max_length`.
    """
    tokenizer = agent_tokenizer(config)
    adapter = get_adapter(config)
    return NETWORKS[adapter.family].build(config, adapter.shape), tokenizer


def agent_tokenizer(config: AgentConfig) -> PreTrainedTokenizerBase:
    """Load the tokenizer of an agent's encoder, set up for its task.

    Raises:
        ConfigError: It can not be loaded, or the encoder is shorter than `max_length`.
    """
    tokenizer = load_tokenizer(config.encoder, split_words=get_adapter(config).reads_words)
    check_length(config.encoder, tokenizer, config.max_length)
    return tokenizer


def save(folder: Path, model: Network, tokenizer: PreTrainedTokenizerBase, config: AgentConfig) -> None:
    """Store a model in `folder`, which is made if need be, as safetensors and JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    # Truncation belongs to a call; left in, it would be stored as the tokenizer's own.
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()
    tokenizer.save_pretrained(folder / TOKENIZER)
    model.pretrained.config.save_pretrained(folder / ENCODER)
    if model.writes:
        model.pretrained.generation_config.save_pretrained(folder / ENCODER)
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
    adapter = get_adapter(config)
    model = NETWORKS[adapter.family].blank(config, adapter.shape, str(folder / ENCODER))
    with safe_open(folder / WEIGHTS, framework="pt") as file:
        untie(model, list(file.keys()), file.metadata() or {})
    load_model(model, folder / WEIGHTS, strict=True)
    return SavedAgent(model.eval(), tokenizer, config)
