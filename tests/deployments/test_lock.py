import re
from pathlib import Path

from packaging.requirements import Requirement

from deployments.lock import LOCK

LINES = [line for line in LOCK.read_text().splitlines() if not line.startswith("#")]


def test_every_line_is_a_pin():
    """The lock holds `name==version` lines with at most a marker."""
    assert [line for line in LINES if not re.fullmatch(r"[a-z0-9-]+==[^ +]+( ; .+)?", line)] == []


def test_no_address_is_locked():
    """The lock names no index, host or file."""
    assert not re.search(r"https?:|file:|--", LOCK.read_text())


def test_the_lock_satisfies_the_project():
    """Every dependency in pyproject.toml is pinned to a version that it allows."""
    import tomllib

    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    pins = {line.split("==")[0]: line.split("==")[1].split(" ")[0] for line in LINES}
    wanted = [Requirement(text) for text in project["dependencies"]]
    wrong = [str(r) for r in wanted if not r.specifier.contains(pins.get(r.name, "0"), prereleases=True)]
    assert wrong == []
