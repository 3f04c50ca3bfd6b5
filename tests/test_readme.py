import re
from pathlib import Path

import pytest
from typer.main import get_command

from deployments.cli import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
TEXTS = [README, *(path.read_text() for path in sorted((ROOT / "docs").glob("*.md")))]


def test_every_command_named_exists():
    """Each `quickstudy COMMAND` in the texts is a command of the command line."""
    named = {word for text in TEXTS for word in re.findall(r"quickstudy ([a-z][a-z-]*)", text)}
    assert named <= set(get_command(app).commands)  # type: ignore[attr-defined] # a group has commands


def test_every_make_target_named_exists():
    """Each `make TARGET` in the README is in the Makefile."""
    targets = set(re.findall(r"(?m)^([a-z]+):", (ROOT / "Makefile").read_text()))
    assert set(re.findall(r"make ([a-z]+)", README)) - {"them"} <= targets


@pytest.mark.parametrize("path", re.findall(r"(?m)^    ([a-z]+(?:/[a-z]+)*/)\s", README))
def test_every_folder_of_the_tree_exists(path: str):
    """Each folder of the annotated tree is there."""
    assert (ROOT / path).is_dir()


def test_every_link_leads_somewhere():
    """Each relative link of the README names a file that is there."""
    links = re.findall(r"\]\(((?!https?:)[^)]+)\)", README)
    assert [link for link in links if not (ROOT / link).exists()] == []
