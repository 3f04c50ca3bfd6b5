import sys
from pathlib import Path

import pytest

from benchmarks.results import record, this_command


def test_a_section_is_replaced_and_its_neighbours_stay(tmp_path: Path):
    """A second record of a title replaces that section in its place and leaves the others."""
    results = tmp_path / "RESULTS.md"
    record("speed", "make speed", "first", results)
    record("memory", "make memory", "other", results)
    record("speed", "make speed", "second", results)
    text = results.read_text()
    assert "first" not in text
    assert text.index("## speed") < text.index("second") < text.index("## memory") < text.index("other")


def test_a_section_names_its_command(tmp_path: Path):
    """Every section holds the command line that made it."""
    record("speed", "python -m benchmarks.speed --rows 3", "4x", tmp_path / "RESULTS.md")
    assert "`python -m benchmarks.speed --rows 3`" in (tmp_path / "RESULTS.md").read_text()


def test_a_command_can_be_typed_again(monkeypatch: pytest.MonkeyPatch):
    """Words with spaces in them are quoted."""
    monkeypatch.setattr(sys, "argv", ["/some/where/benchmarks/speed.py", "--methods", "two words"])
    assert this_command() == "python -m benchmarks.speed --methods 'two words'"
