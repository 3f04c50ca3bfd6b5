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
    python = folder / "bin" / "python"
    ready = folder / ".ready"
    if not ready.exists():
        venv.create(folder, with_pip=True)
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        own = folder / "lib" / version / "site-packages"
        (own / "torch_of_the_project.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
        subprocess.run([str(python), "-m", "pip", "install", "-q", "--no-deps", *requirements], check=True)
        ready.touch()
    return python


def make_whole_environment(folder: Path, *requirements: str) -> Path:
    """Make a virtual environment with torch of this version and all that the requirements ask for.

    Args:
        folder: Where it lies; one that is there already is used as it is.
        *requirements: What is installed in it.
    """
    python = folder / "bin" / "python"
    ready = folder / ".ready"
    if not ready.exists():
        venv.create(folder, with_pip=True)
        install = [str(python), "-m", "pip", "install", "-q"]
        subprocess.run([*install, f"torch=={version('torch').partition('+')[0]}"], check=True)
        subprocess.run([*install, *requirements], check=True)
        ready.touch()
    return python
