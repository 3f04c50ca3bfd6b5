"""Hold the direction of imports and the names of modules."""

import ast
import importlib.metadata
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAY_IMPORT = {
    "models": {"models"},
    "tasks": {"tasks", "models"},
    "flows": {"flows", "tasks", "models"},
    "deployments": {"deployments", "flows", "tasks", "models", "agents"},
}
NOT_IN_MODELS = {
    "prefect",
    "mlflow",
    "sqlalchemy",
    "requests",
    "httpx",
    "urllib",
    "socket",
    "sqlite3",
    "alembic",
}
OURS = {*MAY_IMPORT, "agents", "data", "benchmarks", "tests"}


def _files(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_go_one_way(package: str):
    """A package imports only those of ours that the design lets it."""
    wrong = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in _files(package)
        for name in _imported(path)
        if name in OURS and name not in MAY_IMPORT[package]
    }
    assert not wrong


def test_models_know_no_platform():
    """Nothing in models/ imports Prefect, MLflow, SQL or the network."""
    wrong = {
        f"{p.relative_to(ROOT)}: {n}" for p in _files("models") for n in _imported(p) if n in NOT_IN_MODELS
    }
    assert not wrong


def test_side_effects_know_no_prefect():
    """Nothing in tasks/io imports Prefect."""
    wrong = {str(p.relative_to(ROOT)) for p in _files("tasks/io") if "prefect" in set(_imported(p))}
    assert not wrong


def test_no_package_is_named_like_an_installed_one():
    """Our top-level packages hide nobody else's."""
    others = importlib.metadata.packages_distributions()
    clashes = {name: owners for name in OURS if (owners := set(others.get(name, [])) - {"quickstudy"})}
    assert not clashes


def test_no_file_is_long():
    """A file of ours stays under 300 lines."""
    packages = (*MAY_IMPORT, "benchmarks", "data", "tests")
    long = {str(p.relative_to(ROOT)) for n in packages for p in _files(n) if p.read_text().count("\n") > 300}
    assert not long
