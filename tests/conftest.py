"""Where real data and models are; what every test shares."""

import gc
import os
from pathlib import Path

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
if "PYTEST_XDIST_WORKER" in os.environ:
    # Workers and their children share the cores; threads that wait for each other spin on them.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

gc.disable()  # until everything is imported: see models/interpreter.py


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that start processes: a long one at the end would leave a core idle."""
    slow = {item.path for item in items if item.get_closest_marker("system")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_collection_finish() -> None:
    """Collect garbage from here on, and never among what is imported."""
    gc.freeze()
    gc.enable()


def _folder(variable: str) -> Path:
    value = os.environ.get(variable)
    if value and Path(value).is_dir():
        return Path(value)
    message = (
        f"{variable} names no folder (got {value!r}); benchmarks/fetch.py says where its content comes from"
    )
    if os.environ.get("QUICKSTUDY_REQUIRE_DATA") == "1":
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Give the folder with the real data sets."""
    return _folder("QUICKSTUDY_DATA")


@pytest.fixture(scope="session")
def model_folder() -> Path:
    """Give the folder with the real pretrained models."""
    return _folder("QUICKSTUDY_MODELS")
