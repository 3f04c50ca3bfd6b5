"""A stored pretrained start: an encoder folder that an agent can stand on, and what judging it needs.

`encoder/` holds weights, configuration and tokenizer as transformers stores them: for masked words the
encoder without its head, else the whole model. `head.safetensors` is that head, `plain.safetensors` the one
that was fitted to the encoder before it learned, `start.json` the description.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from models.encoder import write_encoder
from models.errors import ArtifactError, ConfigError
from models.pretrain.networks import LanguageModel, load_language_model
from models.schemas import ArtifactRef
from models.schemas.pretrain import PretrainConfig
from models.start_frames import ENCODER
from models.training.files import folder_ref, whole_folder

HEAD, PLAIN, CONFIG = "head.safetensors", "plain.safetensors", "start.json"
_NEEDED = (CONFIG, f"{ENCODER}/config.json", f"{ENCODER}/tokenizer.json")


@dataclass(frozen=True)
class PretrainedStart:
    """A start as it was read.

    Args:
        config: Its description.
        language: The model, its head and its tokenizer.
        plain_head: The head that fits the encoder as it was; None where the model's files have one.
    """

    config: PretrainConfig
    language: LanguageModel
    plain_head: dict[str, Tensor] | None = None


def save_pretrained_start(out: Path, start: PretrainedStart) -> ArtifactRef:
    """Store a start in `out`, whole or not at all."""
    model: Any = start.language.model
    masked = start.config.objective == "masked_lm"
    with whole_folder(out) as folder:
        write_encoder(folder / ENCODER, model.base_model if masked else model, start.language.tokenizer)
        if masked:
            save_file(_plain(start.language.head()), folder / HEAD)
        if start.plain_head is not None:
            save_file(_plain(start.plain_head), folder / PLAIN)
        (folder / CONFIG).write_text(start.config.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return folder_ref(out)


def is_pretrained_start(folder: Path) -> bool:
    """Tell whether a folder holds a start that was stored here."""
    return all((folder / name).is_file() for name in _NEEDED)


def load_pretrained_start(folder: Path) -> PretrainedStart:
    """Load what `save_pretrained_start` stored.

    Raises:
        ArtifactError: A file is missing, unreadable, or does not fit the others.
    """
    missing = [name for name in _NEEDED if not (folder / name).is_file()]
    if missing:
        raise ArtifactError(
            f"{folder} is not a complete pretrained start: {', '.join(missing)} missing. Pretrain it again, "
            "or fetch it again from the registry."
        )
    try:
        config = PretrainConfig.model_validate_json((folder / CONFIG).read_bytes())
        language = load_language_model(str(folder / ENCODER), config.objective)
        if config.objective == "masked_lm":
            language.put_head(load_file(folder / HEAD))
        plain = load_file(folder / PLAIN) if (folder / PLAIN).is_file() else None
    except (ValidationError, SafetensorError, ConfigError, FileNotFoundError) as error:
        reason = " ".join(str(error).split())[:400]
        raise ArtifactError(
            f"The start in {folder} can not be loaded: {reason}. Pretrain it again, or fetch it again from "
            "the registry."
        ) from error
    return PretrainedStart(config, language, plain)


def plain_language_model(start: PretrainedStart) -> LanguageModel | None:
    """Give the model that a start went on from, as it was; None for one that was made anew."""
    if start.config.from_scratch:
        return None
    language = load_language_model(start.config.encoder, start.config.objective)
    if start.plain_head is not None:
        language.put_head(start.plain_head)
    return language


def _plain(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: w.detach().cpu().contiguous() for name, w in weights.items()}
