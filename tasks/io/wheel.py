"""Our own code as a wheel, built offline, so that a registered version loads where no checkout is.

Only what a loaded model needs travels: the modules that its script imports of ours. The wheel carries the
project's name and a local version with the code's digest, so that pip tells two states of the code apart.
"""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from models.errors import ArtifactError
from tasks.io.code_digest import CodeDigest, code_digest
from tasks.io.digests import digest_of, file_digest
from tasks.io.working import working_folder

PROJECT = "quickstudy"
_EPOCH = "1577836800"  # 2020-01-01: the same code gives the same bytes
_BUILD_SECONDS = 120
_SOME_NEED = frozenset({"peft"})
"""Libraries that our code asks for only where a model was tuned with them."""
_PYPROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{name}"
version = "{version}"
description = "What a registered Quickstudy agent needs to load."
requires-python = ">=3.11,<3.14"
license = "MIT"
dependencies = {dependencies}

[tool.hatch.build.targets.wheel]
only-include = ["models"]
"""


@dataclass(frozen=True)
class Wheel:
    """A built wheel, the sha256 of its bytes and the digest of the code in it."""

    path: Path
    sha256: str
    code: str


def requirements(module: str, also: Sequence[str] = ()) -> tuple[str, ...]:
    """Pin exactly what `module` imports, and MLflow; build tags such as `+cpu` are dropped.

    Args:
        module: What a loaded model imports of ours.
        also: Packages that this model needs of those that only some do.
    """
    from importlib.metadata import version

    pinned = {**_needed(code_digest(module)), **{name: version(name) for name in ("mlflow", *also)}}
    return tuple(f"{name}=={release.partition('+')[0]}" for name, release in sorted(pinned.items()))


def build_wheel(cache: Path, module: str, root: Path | None = None) -> Wheel:
    """Build the wheel of the code that runs now, or give the one built before from the same code.

    Args:
        cache: Folder of built wheels, a folder a code digest.
        module: What a loaded model imports of ours; it travels with all that it stands on.
        root: Folder with the package `models`; by default the one that is imported.

    Raises:
        ArtifactError: If hatchling fails.
    """
    code = code_digest(module, root)
    digest = digest_of(code.modules)
    folder = cache / digest
    if not folder.is_dir():
        _build_into(folder, code, root or Path(__file__).parents[2])
    path = next(iter(sorted(folder.glob("*.whl"))))
    return Wheel(path, file_digest(path), digest)


def unpack(wheel: Path, folder: Path) -> None:
    """Unpack a wheel as pip would: ours is plain Python, so its files are all there is to it."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)


def _needed(code: CodeDigest) -> dict[str, str]:
    """Give the libraries that every model needs."""
    return {name: version for name, version in code.libraries.items() if name not in _SOME_NEED}


def _build_into(folder: Path, code: CodeDigest, root: Path) -> None:
    """Build in a folder of its own, and move the wheel to its place whole."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with working_folder(folder.parent) as place:
        stage, out = Path(place, "stage"), Path(place, "out")
        _stage(stage, code, root)
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
        environment = {"PATH": os.environ.get("PATH", ""), "SOURCE_DATE_EPOCH": _EPOCH, "HOME": str(place)}
        done = subprocess.run(
            command,
            cwd=stage,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_BUILD_SECONDS,
            check=False,
        )
        if done.returncode:
            raise ArtifactError(
                f"The wheel with our code could not be built (hatchling ended with {done.returncode}): "
                f"{done.stderr.strip()[-500:]}"
            )
        try:
            out.replace(folder)
        except OSError:
            if not folder.is_dir():  # otherwise another process built the same wheel first
                raise


def _stage(stage: Path, code: CodeDigest, root: Path) -> None:
    """Lay out the sources that travel, with a project file of their own."""
    for module in code.modules:
        base = Path(*module.split("."))
        relative = base / "__init__.py" if (root / base).is_dir() else base.with_suffix(".py")
        (stage / relative).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / relative, stage / relative)
    text = _PYPROJECT.format(
        name=PROJECT,
        version=f"{_release()}+{digest_of(code.modules)[:12]}",
        dependencies=json.dumps(sorted(_needed(code))),
    )
    (stage / "pyproject.toml").write_text(text)


def _release() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(PROJECT).partition("+")[0]
    except PackageNotFoundError:
        return "0"
