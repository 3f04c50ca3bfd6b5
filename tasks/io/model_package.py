"""Build the folder that MLflow stores for a version: pyfunc from code, weights, requirements, our wheel."""

import json
import logging
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import yaml

from models.tuning.bases import needed_packages
from tasks.io.digests import digest_of, file_digest
from tasks.io.wheel import Wheel, requirements

if TYPE_CHECKING:
    import pandas as pd

Example: TypeAlias = str | Mapping[str, Any]
"""A text, or a row of several inputs: strings and lists of strings."""

WHEELS = "wheels"
_WEIGHTS = "artifacts/model"
_LEFT_BY_LOADING = {"__pycache__", "registered_model_meta"}


@dataclass(frozen=True)
class Flavour:
    """How a kind of model answers where it is loaded.

    Args:
        script: The file beside this one that MLflow stores and runs.
        module: What that script imports of ours.
        answers: Loads a model's folder and answers rows, as the script does.
    """

    script: str
    module: str
    answers: Callable[[Path, Sequence[Example]], "pd.DataFrame"]


@dataclass(frozen=True)
class PackageRequest:
    """What goes into a version's folder.

    Args:
        flavour: How the model answers where it is loaded.
        model: Folder of safetensors, JSON and tokenizer.
        example: A few texts, or rows of several inputs; the input example.
        answers: The frame that the model in memory answers them with; gives the signature.
        wheel: Our own code.
        metadata: Written into MLmodel.
    """

    flavour: Flavour
    model: Path
    example: Sequence[Example]
    answers: "pd.DataFrame"
    wheel: Wheel
    metadata: dict[str, str]


def build_package(request: PackageRequest, out: Path) -> None:
    """Write the model's folder to `out`, without asking MLflow to guess requirements or to try it."""
    import mlflow.pyfunc

    pins = list(requirements(request.flavour.module, needed_packages(request.model)))
    with _quiet():
        mlflow.pyfunc.save_model(
            out,
            python_model=str(Path(__file__).with_name(request.flavour.script)),
            signature=_signature(request.example, request.answers),
            input_example=_frame(request.example),
            pip_requirements=pins,
            metadata=request.metadata,
        )
    shutil.copytree(request.model, out / _WEIGHTS, copy_function=_link_or_copy)
    _name_wheel(out, request.wheel, pins)
    for cached in list(out.rglob("__pycache__")):
        shutil.rmtree(cached)
    identify(out, None, None)


def identify(folder: Path, model_id: str | None, run_id: str | None) -> None:
    """Write into MLmodel under which id, and by which run, MLflow stores the folder.

    The weights are named here and not to `save_model`, which would copy them once more and record where
    they and the script lay on this machine.
    """
    from mlflow.models import Model

    described = Model.load(str(folder))
    described.model_id = model_id
    described.model_uuid = model_id
    described.model_size_bytes = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
    pyfunc = described.flavors["python_function"]
    pyfunc["artifacts"] = {"model": {"path": _WEIGHTS, "uri": _WEIGHTS}}
    pyfunc["model_code_path"] = Path(pyfunc["model_code_path"]).name
    described.run_id = run_id
    described.save(str(folder / "MLmodel"))


def stored_digest(folder: Path) -> str:
    """Give the sha256 over names and contents of a stored model.

    What loading it by MLflow leaves there is skipped: bytecode, and a note of the registered name.
    """
    files = sorted(p for p in folder.rglob("*") if p.is_file() and not _LEFT_BY_LOADING & {*p.parts})
    return digest_of([[p.relative_to(folder).as_posix(), file_digest(p)] for p in files])


def as_lines(frame: "pd.DataFrame") -> list[dict[str, Any]]:
    """Give a frame's lines as JSON values."""
    lines: list[dict[str, Any]] = json.loads(frame.to_json(orient="records", double_precision=15))
    return lines


def _name_wheel(out: Path, wheel: Wheel, pins: Sequence[str]) -> None:
    """Put the wheel beside the requirements and name it there by its relative path."""
    (out / WHEELS).mkdir()
    shutil.copyfile(wheel.path, out / WHEELS / wheel.path.name)
    lines = [f"./{WHEELS}/{wheel.path.name}", *pins]
    (out / "requirements.txt").write_text("\n".join(lines) + "\n")
    conda = yaml.safe_load((out / "conda.yaml").read_text())
    for entry in conda["dependencies"]:
        if isinstance(entry, dict) and "pip" in entry:
            entry["pip"] = lines
    (out / "conda.yaml").write_text(yaml.safe_dump(conda, sort_keys=False))


def _frame(example: Sequence[Example]) -> "pd.DataFrame":
    import pandas as pd

    if all(isinstance(row, str) for row in example):
        return pd.DataFrame({"text": list(example)})
    return pd.DataFrame(list(example))


def _signature(example: Sequence[Example], answers: "pd.DataFrame") -> Any:  # noqa: ANN401 - MLflow's type
    """Describe input and output; a single input column has no name, so that a list of texts fits as well."""
    from mlflow.models import ModelSignature, infer_signature
    from mlflow.types import ColSpec, DataType, Schema
    from mlflow.types.schema import Array

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about missing values in integer columns
        inferred = infer_signature(model_output=answers)
    inputs: list[Any] = [ColSpec(DataType.string)]
    if isinstance(example[0], Mapping):
        inputs = [
            ColSpec(Array(DataType.string) if isinstance(value, list) else DataType.string, name)
            for name, value in example[0].items()
        ]
    return ModelSignature(inputs=Schema(inputs), outputs=inferred.outputs)


def _link_or_copy(source: str, target: str) -> str:
    """Link a file, since storing copies it anyway; copy it where the disk is another one."""
    try:
        Path(target).hardlink_to(source)
    except OSError:
        shutil.copyfile(source, target)
    return target


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep MLflow's advice on type hints and its progress lines out of our terminal."""
    logger = logging.getLogger("mlflow")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
