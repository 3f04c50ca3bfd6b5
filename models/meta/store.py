"""A stored start: an encoder folder that any agent can be fine-tuned from, and what the learner needs beside.

`encoder/` holds weights, configuration and tokenizer as transformers stores them, so its path is the name
of an encoder. `learner.safetensors` holds what the learner learned beside the encoder, `start.json` the
description, `seen.json` what it was meta-trained and validated on.
"""

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from models.encoder import load_encoder, write_encoder
from models.errors import ArtifactError, ConfigError
from models.learners import Learner, Params, make_learner
from models.schemas import ArtifactRef
from models.schemas.base import Record
from models.schemas.start import StartConfig
from models.start_frames import ENCODER
from models.training.files import folder_ref, whole_folder

OWN, CONFIG, SEEN = "learner.safetensors", "start.json", "seen.json"
_NEEDED = (OWN, CONFIG, SEEN, f"{ENCODER}/config.json", f"{ENCODER}/tokenizer.json")


class Seen(Record):
    """What a start has learned from, so that nobody judges it there: see `models/meta/judging.py`.

    Args:
        classes: Classes of its training and validation episodes, in small letters.
        domains: Domains of the same.
    """

    classes: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()


@dataclass(frozen=True)
class StoredStart:
    """A start as it was read.

    Args:
        config: Its description.
        encoder: With the learned weights in it.
        tokenizer: The encoder's.
        own: What the learner learned beside the encoder.
        seen: What it has learned from; nothing, for a pretrained encoder as it is.
    """

    config: StartConfig
    encoder: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    own: Params
    seen: Seen = Seen()  # noqa: RUF009 - frozen

    @property
    def learner(self) -> Learner:
        """Make the learner that adapts."""
        return make_learner(self.config.learner, self.config.learner_settings)


def save_start(out: Path, start: StoredStart) -> ArtifactRef:
    """Store a start in `out`, whole or not at all."""
    with whole_folder(out) as folder:
        write_encoder(folder / ENCODER, start.encoder, start.tokenizer)
        save_file({name: w.detach().cpu().contiguous() for name, w in start.own.items()}, folder / OWN)
        (folder / CONFIG).write_text(start.config.model_dump_json(indent=2) + "\n", encoding="utf-8")
        (folder / SEEN).write_text(start.seen.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return folder_ref(out)


def load_start(folder: Path) -> StoredStart:
    """Load what `save_start` stored.

    Raises:
        ArtifactError: A file is missing, unreadable, or does not fit the others.
    """
    missing = [name for name in _NEEDED if not (folder / name).is_file()]
    if missing:
        raise ArtifactError(
            f"{folder} is not a complete start: {', '.join(missing)} missing of {', '.join(_NEEDED)}. "
            "Meta-train it again, or fetch it again from the registry."
        )
    try:
        config = StartConfig.model_validate_json((folder / CONFIG).read_bytes())
        seen = Seen.model_validate_json((folder / SEEN).read_bytes())
        own = load_file(folder / OWN)
        encoder, tokenizer = load_encoder(str(folder / ENCODER))
    except (ValidationError, SafetensorError, ConfigError) as error:
        reason = " ".join(str(error).split())[:400]
        raise ArtifactError(
            f"The start in {folder} can not be loaded: {reason}. Meta-train it again, or fetch it again from "
            "the registry."
        ) from error
    return StoredStart(config, encoder, tokenizer, own, seen)


def read_seen(folder: Path) -> Seen:
    """Read what a stored start has learned from.

    Raises:
        ArtifactError: The file is missing or unreadable.
    """
    try:
        return Seen.model_validate_json((folder / SEEN).read_bytes())
    except (OSError, ValidationError) as error:
        raise ArtifactError(
            f"{folder / SEEN} can not be read: {error}. Fetch the start again from the registry."
        ) from error


def plain_start(config: StartConfig) -> StoredStart:
    """Give the pretrained encoder as a start that has learned nothing yet.

    Raises:
        ConfigError: The encoder can not be loaded.
    """
    return StoredStart(config, *load_encoder(config.encoder), {})
