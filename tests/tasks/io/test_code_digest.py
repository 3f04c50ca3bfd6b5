import gc
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tasks.io.code_digest import code_digest


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Write a small project: a step, its helper, a late import and a file apart."""
    files = {
        "models/__init__.py": "",
        "models/helper.py": "import numpy\nLIMIT = 3\n",
        "models/late.py": "",
        "models/unrelated.py": "LIMIT = 9\n",
        "tasks/__init__.py": "",
        "tasks/step.py": "from models.helper import LIMIT\n\ndef run():\n    from models import late\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_an_edited_helper_changes_the_digest(tree: Path):
    """A step's digest covers the modules that it imports."""
    before = code_digest("tasks.step", tree)
    (tree / "models/helper.py").write_text("import numpy\nLIMIT = 4\n")
    assert code_digest("tasks.step", tree) != before


def test_an_edited_unrelated_file_keeps_the_digest(tree: Path):
    """A step's digest leaves out what it does not import."""
    before = code_digest("tasks.step", tree)
    (tree / "models/unrelated.py").write_text("LIMIT = 10\n")
    assert code_digest("tasks.step", tree) == before


def test_an_import_inside_a_function_counts(tree: Path):
    """Imports count wherever they stand."""
    assert "models.late" in code_digest("tasks.step", tree).modules


def test_libraries_of_helpers_count(tree: Path):
    """The versions of libraries that helpers import are part of the digest."""
    assert "numpy" in code_digest("tasks.step", tree).libraries


def test_a_missing_module_is_named(tree: Path):
    """A module that does not exist is an error that names it."""
    with pytest.raises(ModuleNotFoundError, match=r"tasks\.nothing"):
        code_digest("tasks.nothing", tree)


class _Garbage:
    """Lets another thread run when it is collected, which may be in the middle of a tree."""

    def __init__(self) -> None:
        self.own = self

    def __del__(self) -> None:
        os.sched_yield()


def test_threads_digest_side_by_side(tmp_path: Path):
    """Several workers of one process read the code at once."""
    (tmp_path / "models").mkdir()
    lines = (f"x{i} = [{i}, ({i}, {{{i}: {i}}})]" for i in range(300))
    (tmp_path / "models" / "a.py").write_text("\n".join(lines))

    def digest(_: int) -> str:
        _Garbage()
        return code_digest("models.a", tmp_path).modules["models.a"]

    before = gc.get_threshold()
    gc.set_threshold(5)
    try:
        with ThreadPoolExecutor(4) as threads:
            assert len(set(threads.map(digest, range(200)))) == 1
    finally:
        gc.set_threshold(*before)
