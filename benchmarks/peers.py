"""An environment of their own for the tools that we measure ourselves against; the project needs none."""

import subprocess
import sys
import sysconfig
import venv
from importlib.metadata import version
from pathlib import Path

SETFIT = ("setfit==1.2.0", "transformers<5")
META_LEARNING = ("torchopt==0.7.3", "higher==0.2.1", "optree>=0.13,<1")


def make_environment(folder: Path, *requirements: str) -> Path:
    """Make a virtual environment and give its interpreter; torch is the one of this environment.

    Args:
        folder: Where it lies; one that is there already is used as it is.
        *requirements: What is installed in it, without what that asks for.
    """
    if not _ready(folder).exists():
        venv.create(folder, with_pip=True)
        version_of_python = f"python{sys.version_info.major}.{sys.version_info.minor}"
        own = folder / "lib" / version_of_python / "site-packages"
        (own / "torch_of_the_project.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
        _install(folder, "--no-deps", *requirements)
        _ready(folder).touch()
    return _interpreter(folder)


def make_whole_environment(folder: Path, *requirements: str) -> Path:
    """Make a virtual environment with torch of this version and all that the requirements ask for.

    Args:
        folder: Where it lies; one that is there already is used as it is.
        *requirements: What is installed in it.
    """
    if not _ready(folder).exists():
        venv.create(folder, with_pip=True)
        _install(folder, f"torch=={version('torch').partition('+')[0]}")
        _install(folder, *requirements)
        _ready(folder).touch()
    return _interpreter(folder)


def _interpreter(folder: Path) -> Path:
    return folder / "bin" / "python"


def _ready(folder: Path) -> Path:
    """Give the file that says that everything is installed."""
    return folder / ".ready"


def _install(folder: Path, *words: str) -> None:
    subprocess.run([str(_interpreter(folder)), "-m", "pip", "install", "-q", *words], check=True)
