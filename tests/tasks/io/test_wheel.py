"""Our own code as a wheel."""

import shutil
import zipfile
from pathlib import Path

import pytest

from tasks.io.wheel import build_wheel, requirements

MODULE = "models.frames"

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder in which the wheel is built once."""
    folder = tmp_path_factory.mktemp("wheels")
    build_wheel(folder, MODULE)
    return folder


def test_the_same_code_gives_the_same_bytes(cache: Path, tmp_path: Path):
    """Two builds of one state of the code have one sha256."""
    assert build_wheel(tmp_path, MODULE).sha256 == build_wheel(cache, MODULE).sha256


def test_a_built_wheel_is_used_again(cache: Path):
    """The second build takes the first one's file."""
    before = build_wheel(cache, MODULE).path.stat().st_mtime_ns
    assert build_wheel(cache, MODULE).path.stat().st_mtime_ns == before


def test_only_what_a_loaded_model_needs_travels(cache: Path):
    """No flow, no task and no training code is in the wheel."""
    names = zipfile.ZipFile(build_wheel(cache, MODULE).path).namelist()
    packages = {name.split("/")[0] for name in names}
    assert {name for name in packages if not name.endswith(".dist-info")} == {"models"}
    assert "models/predictor.py" in names
    assert not [name for name in names if name.startswith("models/training/")]


def test_changed_code_is_another_wheel(cache: Path, tmp_path: Path):
    """An edit to a module that travels changes digest, version and file name."""
    shutil.copytree(ROOT / "models", tmp_path / "models")
    edited = tmp_path / "models" / "frames.py"
    edited.write_text(edited.read_text() + "\n# edited\n")
    assert build_wheel(tmp_path / "cache", MODULE, tmp_path).path.name != build_wheel(cache, MODULE).path.name


def test_requirements_are_pinned_and_public():
    """Each requirement is one version that an index has, without a build's own tag; no Prefect is named."""
    names = [line.split("==")[0] for line in requirements(MODULE)]
    assert all(line.count("==") == 1 and "+" not in line for line in requirements(MODULE))
    assert {"mlflow", "torch", "transformers", "safetensors"} <= set(names)
    assert not {"prefect", "sqlalchemy", "alembic"} & set(names)


def test_what_only_some_models_need_is_named_for_those(cache: Path):
    """Neither the wheel nor a plain model asks for peft; a model that was tuned by it pins it."""
    names = zipfile.ZipFile(build_wheel(cache, MODULE).path)
    (metadata,) = (names.read(name).decode() for name in names.namelist() if name.endswith("METADATA"))
    assert "peft" not in metadata
    assert not [line for line in requirements(MODULE) if line.startswith("peft")]
    assert [line for line in requirements(MODULE, ["peft"]) if line.startswith("peft==")]
