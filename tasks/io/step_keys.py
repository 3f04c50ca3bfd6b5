"""Cache keys of steps, and why a step hit or missed.

A key is the digest of three things: the inputs (content digests and the config's relevant fields),
the code behind the step and the versions of the libraries which that code imports. The last keys of
each step are kept, so that a miss can name what changed.
"""

import importlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from models.errors import ConfigError
from models.schemas.base import Description
from tasks.io.code_digest import CodeDigest, code_digest
from tasks.io.digests import canonical, digest_of
from tasks.io.known_digests import Stamp, stamp
from tasks.io.working import working_folder

_KEPT_KEYS = 8
_ENCODER_MODULE = "models.encoder"


@dataclass(frozen=True)
class StepKey:
    """What a cached result stands on.

    Args:
        step: The step's name.
        parts: Digest of each input (`input NAME`), config field (`config NAME`), module of ours
            (`code NAME`) and version of each library (`library NAME`).
    """

    step: str
    parts: dict[str, str]

    @property
    def digest(self) -> str:
        """Give the key itself, usable as a file name."""
        return f"{self.step}-{digest_of(self.parts)}"


def step_key(
    module: str,
    inputs: Mapping[str, Any],
    also: frozenset[str] = frozenset(),
    aside: frozenset[str] = frozenset(),
) -> StepKey:
    """Make the key of the step in `module` (for example `tasks.ingest`).

    Args:
        module: Dotted name of the step's module.
        inputs: The step's arguments; the config counts field by field.
        also: Config fields that count although other steps ignore them.
        aside: Config fields that this step does not read.
    """
    code = code_digest(module)
    parts = {f"code {name}": digest for name, digest in code.modules.items()}
    parts |= {f"library {name}": version for name, version in code.libraries.items()}
    for name, value in inputs.items():
        if isinstance(value, Description):
            fields = set(type(value).model_fields) - (value.steering - also) - aside
            parts |= {f"config {f}": json.dumps(canonical(getattr(value, f))) for f in fields}
            parts |= _encoder(str(getattr(value, "encoder", "")), code)
        else:
            parts[f"input {name}"] = digest_of(value)
    return StepKey(module.rpartition(".")[2], dict(sorted(parts.items())))


def _encoder(name: str, code: CodeDigest) -> dict[str, str]:
    """Digest the encoder that a step reads: folder or hub, its content may change under its name."""
    if _ENCODER_MODULE not in code.modules:
        return {}
    # By name: an import here would put the encoder's code into every other step's key, and torch in its way.
    module = importlib.import_module(_ENCODER_MODULE)
    try:
        folder = module.encoder_folder(name)
        return {"content encoder": _encoder_digest(name, stamp(folder) if folder else ())}
    except ConfigError:
        return {}  # the step meets the same fault and says what is wrong


@lru_cache(maxsize=64)
def _encoder_digest(name: str, seen: Stamp) -> str:  # noqa: ARG001 - a part of what the answer is remembered by
    """Ask once a process: a folder takes reading, a hub id the network."""
    digest: str = importlib.import_module(_ENCODER_MODULE).encoder_digest(name)
    return digest


class KeyHistory:
    """The last keys of every step, in one JSON file an agent and step.

    Args:
        folder: Where the files lie.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _path(self, agent: str, step: str) -> Path:
        return self._folder / f"{agent}-{step}.json"

    def _read(self, path: Path) -> list[dict[str, Any]]:
        try:
            found = json.loads(path.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return []
        return found if isinstance(found, list) else []

    def explain(self, agent: str, key: StepKey) -> str:
        """Say why a key has no result: what differs from the nearest key seen before."""
        seen = [dict(entry["parts"]) for entry in self._read(self._path(agent, key.step))]
        if not seen:
            return "first run of this step"
        changes = [_changed(before, key.parts) for before in seen]
        nearest = min(changes, key=len)
        if not nearest:
            return "no result stored for this key (an earlier run did not finish, or it was removed)"
        more = f" and {len(nearest) - 4} more" if len(nearest) > 4 else ""
        return f"changed: {', '.join(nearest[:4])}{more}"

    def remember(self, agent: str, key: StepKey) -> None:
        """Keep a key as the newest of its step."""
        path = self._path(agent, key.step)
        entries = [e for e in self._read(path) if e["parts"] != key.parts]
        kept = [*entries, asdict(key)][-_KEPT_KEYS:]
        with working_folder(self._folder) as folder:
            (folder / path.name).write_text(json.dumps(kept))
            (folder / path.name).replace(path)


def _changed(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
