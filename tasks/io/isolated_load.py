"""Reload a stored model in a fresh process with nothing but its requirements, and compare its answers.

The process gets a site folder of links to the distributions that the stored requirements.txt pulls in,
with our code unpacked from the stored wheel, and no other path: not the checkout, not site-packages.
"""

import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any

from models.errors import RegistryError
from tasks.io.dependencies import closure
from tasks.io.model_package import Example
from tasks.io.wheel import unpack
from tasks.io.working import working_folder

TOLERANCE = 1e-5
_LOAD_SECONDS = 300
_SET = {
    "HF_HUB_OFFLINE": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "DO_NOT_TRACK": "1",
    "CUDA_VISIBLE_DEVICES": "",
}


def check_reload(
    model: Path, example: Sequence[Example], expected: Sequence[dict[str, Any]], scratch: Path
) -> None:
    """Reload `model` in a fresh process and compare its predictions with those in memory.

    Args:
        model: Folder of the stored MLflow model.
        example: Texts, or rows of several inputs, to predict.
        expected: One line a row, as JSON, of the model in memory.
        scratch: Folder to work in.

    Raises:
        RegistryError: If it does not load, takes our code from elsewhere, or answers otherwise.
    """
    with working_folder(scratch) as place:
        root = Path(place).resolve()
        site = root / "site"
        site.mkdir()
        make_site(model, site)
        found = _run(root, model.resolve(), example)
        if not Path(str(found["origin"])).is_relative_to(site):
            raise RegistryError(
                f"The reloaded model took our code from {found['origin']}, not from its wheel; "
                "it would not load on another machine."
            )
    difference = first_difference(list(expected), found["lines"])
    if difference is None and not _is_finite(found["lines"]):
        raise RegistryError(
            "The model answers with missing or infinite numbers. No version was made; train again with a "
            "lower learning_rate."
        )
    if difference:
        raise RegistryError(
            f"The reloaded model answers otherwise than the one in memory: {difference}. No version was "
            "made; the stored files are not what was trained."
        )


def make_site(model: Path, site: Path) -> None:
    """Fill `site` with what `pip install -r requirements.txt` would install, by links.

    Raises:
        RegistryError: If a wheel that the requirements name is not in the model's folder.
    """
    lines = [line.strip() for line in (model / "requirements.txt").read_text().splitlines()]
    names = []
    for line in filter(None, lines):
        if line.endswith(".whl"):
            wheel = model / line
            if not wheel.is_file():
                raise RegistryError(
                    f"The stored requirements name {line}, which is not in the model's folder."
                )
            unpack(wheel, site)
        else:
            names.append(line)
    for found in closure(names):
        for name in _top_levels(found):
            source = Path(str(found.locate_file(name)))
            if not (site / name).exists() and source.exists():
                (site / name).symlink_to(source.resolve())


def first_difference(expected: object, found: object, where: str = "line") -> str | None:
    """Say where two JSON values differ: exactly, but numbers within `TOLERANCE`; None if nowhere."""
    if isinstance(expected, dict) and isinstance(found, dict):
        if expected.keys() != found.keys():
            return f"{where} has the columns {sorted(found)} instead of {sorted(expected)}"
        pairs = [(f"{where} {key}", expected[key], found[key]) for key in expected]
    elif isinstance(expected, list) and isinstance(found, list):
        if len(expected) != len(found):
            return f"{where} has {len(found)} entries instead of {len(expected)}"
        pairs = [(f"{where} {i}", a, b) for i, (a, b) in enumerate(zip(expected, found, strict=True))]
    elif isinstance(expected, float) and isinstance(found, float | int):
        near = math.isclose(expected, found, rel_tol=0, abs_tol=TOLERANCE)
        return None if near else f"{where} is {found} instead of {expected}"
    else:
        return None if expected == found else f"{where} is {found!r} instead of {expected!r}"
    return next(filter(None, (first_difference(a, b, w) for w, a, b in pairs)), None)


def _is_finite(value: object) -> bool:
    """Say whether JSON holds no null; pandas writes NaN and infinity as one."""
    if isinstance(value, dict):
        return all(map(_is_finite, value.values()))
    if isinstance(value, list):
        return all(map(_is_finite, value))
    return value is not None


def _top_levels(found: Distribution) -> set[str]:
    """Name the files and folders that a distribution puts into site-packages."""
    record = found.read_text("RECORD")
    if record is None:
        paths = [str(path) for path in found.files or ()]
    else:
        paths = [line.removeprefix('"').rsplit(",", 2)[0] for line in record.splitlines()]
    return {path.split("/", 1)[0] for path in paths} - {"", "..", "__pycache__"}


def _run(root: Path, model: Path, example: Sequence[Example]) -> dict[str, Any]:
    program, rows, answer = root / "program.py", root / "example.json", root / "answer.json"
    shutil.copyfile(Path(__file__).with_name("isolated_program.py"), program)
    rows.write_text(json.dumps(list(example)), encoding="utf-8")
    arguments = [str(root / "site"), str(model), str(rows), str(answer)]
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "LANG") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-X", "utf8", str(program), *arguments],
        cwd=root,
        env={**kept, **_SET, "HOME": str(root), "TMPDIR": str(root)},
        capture_output=True,
        check=False,
        text=True,
        timeout=_LOAD_SECONDS,
    )
    if done.returncode or not answer.is_file():
        last = "\n".join(done.stderr.strip().splitlines()[-6:])
        raise RegistryError(
            f"The stored model does not load in a fresh process with only its requirements (ended with "
            f"{done.returncode}). No version was made. Its last words: {last}"
        )
    answered: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    return answered
