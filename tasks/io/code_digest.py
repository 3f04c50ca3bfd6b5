"""Which code a step runs: its transitive imports among our modules, and the libraries they import.

Read from the source with `ast`, imports inside functions included, so nothing is executed.
"""

import ast
import hashlib
import importlib.metadata
import importlib.util
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

OURS = ("agents", "data", "deployments", "flows", "models", "tasks")
_PARSING = threading.Lock()


@dataclass(frozen=True)
class CodeDigest:
    """Digests of the code behind one module.

    Args:
        modules: sha256 of each of our modules it stands on, by dotted name.
        libraries: Version of each distribution that those modules import.
    """

    modules: dict[str, str]
    libraries: dict[str, str]


@cache
def _distributions() -> dict[str, list[str]]:
    return dict(importlib.metadata.packages_distributions())


def _source(module: str, root: Path) -> Path | None:
    """Find a module's file below `root`."""
    base = root.joinpath(*module.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


def _imports(tree: ast.AST, package: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")
            prefix = ".".join(parents[: len(parents) - node.level + 1]) if node.level else ""
            base = ".".join(part for part in (prefix, node.module or "") if part)
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _parsed(content: bytes) -> ast.AST:
    """Parse source, one thread at a time: CPython 3.11 has one depth of trees for all threads."""
    with _PARSING:
        return ast.parse(content)


def _with_parents(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:n]) for n in range(1, len(parts) + 1)]


def _walk(start: str, root: Path) -> tuple[dict[str, str], set[str]]:
    """Follow imports from `start`; give our modules' digests and the other top-level names."""
    found: dict[str, str] = {}
    others: set[str] = set()
    todo = _with_parents(start)
    while todo:
        module = todo.pop()
        path = _source(module, root)
        if module in found or path is None:
            continue
        content = path.read_bytes()
        found[module] = hashlib.sha256(content).hexdigest()
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        for name in _imports(_parsed(content), package):
            top = name.partition(".")[0]
            if top in OURS:
                todo += _with_parents(name)
            elif top not in sys.stdlib_module_names:
                others.add(top)
    return found, others


def code_digest(module: str, root: Path | None = None) -> CodeDigest:
    """Digest the code that `module` stands on.

    Args:
        module: Dotted name of one of our modules.
        root: Folder of the top-level packages; by default where this file's package lies.

    Raises:
        ModuleNotFoundError: There is no such module.
    """
    root = root or Path(__file__).parents[2]
    modules, others = _walk(module, root)
    if module not in modules:
        raise ModuleNotFoundError(f"No module {module!r} below {root}", name=module)
    names = {dist for top in others for dist in _distributions().get(top, [])}
    versions = {name: importlib.metadata.version(name) for name in names}
    return CodeDigest(dict(sorted(modules.items())), dict(sorted(versions.items())))
