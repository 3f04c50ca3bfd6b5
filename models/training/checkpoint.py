"""Step checkpoints: safetensors and JSON, written whole, checked by digest, the last two kept.

What a checkpoint holds is decided in `state.py`; this file only brings it to the disk and back.
"""

import json
import logging
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from models.training.files import file_digest, sync_file, sync_folder, write_whole

_KEPT = 2
_STATE, _FORMAT = "state.json", 1
_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checkpoint:
    """Everything that training needs to go on.

    Args:
        step: Optimizer steps done.
        tensors: Groups of named tensors, one safetensors file a group.
        values: Plain JSON values.
    """

    step: int
    tensors: dict[str, dict[str, Tensor]]
    values: dict[str, Any]


def write_checkpoint(folder: Path, checkpoint: Checkpoint, job: str) -> None:
    """Write a checkpoint beside the earlier ones and remove all but the last two.

    Args:
        folder: The folder of all checkpoints.
        checkpoint: What to keep.
        job: Digest of what is trained; another job never reads it.
    """
    final = folder / f"step-{checkpoint.step:09d}"
    temporary = folder / f".tmp-{os.getpid()}"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    digests = {}
    for name, tensors in checkpoint.tensors.items():
        path = temporary / f"{name}.safetensors"
        save_file({key: value.detach().cpu().contiguous() for key, value in tensors.items()}, path)
        sync_file(path)
        digests[path.name] = file_digest(path)
    state = {"format": _FORMAT, "job": job, "step": checkpoint.step, "files": digests}
    write_whole(temporary / _STATE, json.dumps({**state, "values": checkpoint.values}))
    shutil.rmtree(final, ignore_errors=True)
    temporary.rename(final)
    sync_folder(folder)
    for old in sorted(folder.glob("step-*"))[:-_KEPT]:
        shutil.rmtree(old, ignore_errors=True)


def read_latest(folder: Path, job: str) -> Checkpoint | None:
    """Read the newest whole checkpoint of a job; None if there is none.

    One that is damaged, or of another job, is passed over with a warning.
    """
    for path in sorted(folder.glob("step-*"), reverse=True):
        try:
            return _read(path, job)
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            _logger.warning("Checkpoint %s is passed over: %s", path, error)
    return None


def _read(path: Path, job: str) -> Checkpoint:
    state = json.loads((path / _STATE).read_text("utf-8"))
    if state["format"] != _FORMAT or state["job"] != job:
        raise ValueError("it belongs to another job or program version")
    for name, digest in state["files"].items():
        if file_digest(path / name) != digest:
            raise ValueError(f"{name} differs from its digest")
    tensors = {name.removesuffix(".safetensors"): load_file(path / name) for name in state["files"]}
    return Checkpoint(state["step"], tensors, state["values"])
