"""A stored start: an encoder folder that any agent can be fine-tuned from, and what the learner needs beside.

`encoder/` holds weights, configuration and tokenizer as transformers stores them, so its path is the name
of an encoder. `learner.safetensors` holds what the learner learned beside the encoder, `start.json` the
description.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from models.encoder import load_encoder
from models.errors import ArtifactError, ConfigError
from models.learners import Learner, Params, make_learner
from models.schemas import ArtifactRef
from models.schemas.start import StartConfig
from models.training.files import folder_ref, sync_file, sync_folder

ENCODER, OWN, CONFIG = "encoder", "learner.safetensors", "start.json"
_NEEDED = (OWN, CONFIG, f"{ENCODER}/config.json", f"{ENCODER}/tokenizer.json")


@dataclass(frozen=True)
class StoredStart:
    """A start as it was read.

    Args:
        config: Its description.
        encoder: With the learned weights in it.
        tokenizer: The encoder's.
        own: What the learner learned beside the encoder.
    """

    config: StartConfig
    encoder: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    own: Params

    @property
    def learner(self) -> Learner:
        """Make the learner that adapts."""
        return make_learner(self.config.learner, self.config.learner_settings)


def save_start(out: Path, start: StoredStart) -> ArtifactRef:
    """Store a start in `out`, whole or not at all."""
    temporary = out.with_name(f".{out.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    (temporary / ENCODER).mkdir(parents=True)
    start.encoder.save_pretrained(temporary / ENCODER)
    start.tokenizer.save_pretrained(temporary / ENCODER)
    save_file({name: w.detach().cpu().contiguous() for name, w in start.own.items()}, temporary / OWN)
    (temporary / CONFIG).write_text(start.config.model_dump_json(indent=2) + "\n", encoding="utf-8")
    for path in temporary.rglob("*"):
        if path.is_file():
            sync_file(path)
    shutil.rmtree(out, ignore_errors=True)
    temporary.rename(out)
    sync_folder(out.parent)
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
        own = load_file(folder / OWN)
        encoder, tokenizer = load_encoder(str(folder / ENCODER))
    except (ValidationError, SafetensorError, ConfigError) as error:
        reason = " ".join(str(error).split())[:400]
        raise ArtifactError(
            f"The start in {folder} can not be loaded: {reason}. Meta-train it again, or fetch it again from "
            "the registry."
        ) from error
    return StoredStart(config, encoder, tokenizer, own)
