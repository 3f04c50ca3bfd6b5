"""An agent's model: how a network is built with its tokenizer, stored and loaded.

A stored model is a folder of safetensors and JSON that needs neither the encoder's origin nor a hub.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from safetensors.torch import save_model
from torch import nn
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from models.adapters import get_adapter
from models.encoder import check_length, load_tokenizer
from models.errors import ArtifactError, ConfigError
from models.networks import NETWORKS, Network
from models.pretrained import quiet
from models.schemas import AgentConfig
from models.tied import load_whole
from models.tuning.bases import BaseRef, find_base, read_ref
from models.tuning.stored import load_tuned, save_tuned
from models.tuning.tune import replace_pretrained, tune

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
        ConfigError: The pretrained model can not be loaded, is shorter than `max_length`, or can not be tuned
            in the way that is asked for.
    """
    tokenizer = agent_tokenizer(config)
    adapter = get_adapter(config)
    model = NETWORKS[adapter.family].build(config, adapter.shape)
    if config.tuning != "full":
        tune(model, config)
    return model, tokenizer


def agent_tokenizer(config: AgentConfig) -> PreTrainedTokenizerBase:
    """Load the tokenizer of an agent's encoder, set up for its task.

    Raises:
        ConfigError: It can not be loaded, or the encoder is shorter than `max_length`.
    """
    adapter = get_adapter(config)
    tokenizer = load_tokenizer(config.encoder, split_words=adapter.reads_words)
    check_length(config.encoder, tokenizer, config.max_length, adapter.longest - config.max_length)
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
    if model.base is None:
        save_model(model, str(folder / WEIGHTS))
    else:
        save_tuned(folder, model, model.base)
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
    except (ArtifactError, ConfigError):  # of a base or a library that is missing, which no training brings
        raise
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
    base = read_ref(folder)
    if base is None:
        load_whole(model, folder / WEIGHTS)
    else:
        replace_pretrained(model, _base(folder, config, base, model))
        load_tuned(folder, model, base, config)
    return SavedAgent(model.eval(), tokenizer, config)


def load_base(folder: Path) -> nn.Module:
    """Load the pretrained weights that the tuned model in `folder` stands on.

    Raises:
        ArtifactError: The model stands on none, or they are missing.
    """
    config, base = AgentConfig.model_validate_json((folder / AGENT).read_bytes()), read_ref(folder)
    if base is None:
        raise ArtifactError(f"The model in {folder} is whole: it stands on no other weights.")
    adapter = get_adapter(config)
    with quiet():
        blank = NETWORKS[adapter.family].blank(config, adapter.shape, str(folder / ENCODER))
        return _base(folder, config, base, blank)


def _base(folder: Path, config: AgentConfig, base: BaseRef, blank: Network) -> nn.Module:
    """Find the base of a tuned model, in the store or by the name in its description."""
    adapter = get_adapter(config)
    build = partial(NETWORKS[adapter.family].build, config, adapter.shape)
    return find_base(blank.pretrained, folder, base, lambda: build().pretrained)
