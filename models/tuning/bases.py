"""The base of a tuned model: told by id and by a digest of its weights, kept once, found where it lies.

A tuned model's folder holds what was trained and `base.json`. The base's own weights are looked for

1. in `bases/<digest>` of each folder above the model's, nearest first: the state folder has one that all its
   agents share;
2. in `bases/<digest>` of the folder that QUICKSTUDY_HOME names;
3. under the name that the agent's description has for it: the bundled encoder's package, a local folder, or
   the Hugging Face hub or its cache.

What is found counts only if its weights have the digest. Who fills `bases/` is `tasks/io/bases.py`.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import save_model
from torch import nn

from models.errors import ArtifactError, ConfigError
from models.schemas.base import Record
from models.schemas.tuning_fields import Tuning
from models.tied import load_whole

BASE, BASES, WEIGHTS = "base.json", "bases", "model.safetensors"


class BaseRef(Record):
    """Which pretrained weights a tuned model stands on.

    Args:
        id: The encoder's name in the agent's description.
        digest: sha256 over names, types, shapes and bytes of all its weights.
        tuning: How the model is tuned.
        packages: What the model needs to load beside what every model needs.
    """

    id: str
    digest: str
    tuning: Tuning
    packages: tuple[str, ...] = ()


def weights_digest(pretrained: nn.Module) -> str:
    """Digest a model's weights, whatever files they came from."""
    digest = hashlib.sha256()
    for name, value in sorted(pretrained.state_dict().items()):
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        digest.update(value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


def read_ref(folder: Path) -> BaseRef | None:
    """Read which base a stored model stands on; None if its weights are whole."""
    path = folder / BASE
    return BaseRef.model_validate_json(path.read_bytes()) if path.is_file() else None


def needed_packages(folder: Path) -> tuple[str, ...]:
    """Name the packages that a stored model needs beside those that every model needs."""
    base = read_ref(folder)
    return base.packages if base else ()


def find_base(blank: nn.Module, folder: Path, base: BaseRef, by_name: Callable[[], nn.Module]) -> nn.Module:
    """Give the pretrained model that the tuned model in `folder` stands on.

    Args:
        blank: A model of its architecture, whose weights may be replaced.
        folder: The tuned model's.
        base: Which weights.
        by_name: Loads what the agent's description names.

    Raises:
        ArtifactError: They are nowhere.
    """
    tried = []
    for stored in _stored(folder, base):
        try:
            load_whole(blank, stored)
        except (OSError, RuntimeError, SafetensorError) as error:
            tried.append(f"{stored} is not readable ({_first_line(error)})")
            continue
        if weights_digest(blank) == base.digest:
            return blank
        tried.append(f"{stored} holds other weights")
    try:
        named = by_name()
    except ConfigError as error:
        tried.append(f"{base.id!r} does not load ({_first_line(error)})")
    else:
        if weights_digest(named) == base.digest:
            return named
        tried.append(f"{base.id!r} has other weights now")
    raise ArtifactError(
        f"The base of this {base.tuning} model, {base.id!r} with weights {base.digest[:12]}, is missing: "
        f"{'; '.join(tried)}. Set QUICKSTUDY_HOME to the state folder whose {BASES}/{base.digest[:12]}... "
        f"holds it, copy that folder into {BASES}/ beside the model, or make {base.id!r} available as it was."
    )


def write_base(folder: Path, pretrained: nn.Module) -> None:
    """Write a base's weights into `folder`, as `find_base` reads them."""
    save_model(pretrained, str(folder / WEIGHTS))


def _stored(folder: Path, base: BaseRef) -> Iterator[Path]:
    home = Path(os.environ.get("QUICKSTUDY_HOME") or ".quickstudy")
    for place in dict.fromkeys((*folder.resolve().parents, home.resolve())):
        path = place / BASES / base.digest / WEIGHTS
        if path.is_file():
            yield path


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
