"""A challenger that learned from less than the champion knows, in real runs on a home of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.tiny_agent import make_agent
from tasks.io.home import home_at
from tasks.io.ledger import decisions, open_ledger

pytestmark = pytest.mark.system

TWEETS = {"address": "tweets.parquet", "domain_column": "domain"}
PRODUCTS = {"address": "products.parquet", "domain_column": "domain"}


def _train(home: Path, agent: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "deployments.cli", "train", str(agent)],
        env=os.environ | {"QUICKSTUDY_HOME": str(home)},
        capture_output=True,
        timeout=300,
        check=True,
    )


def test_what_the_champion_knows_is_judged_as_well(tmp_path: Path):
    """Training on tweets alone, beside a champion of tweets and products, is compared on products too."""
    home, folder = tmp_path / "home", tmp_path / "agent"
    _train(home, make_agent(folder, sources=[TWEETS, PRODUCTS]))
    _train(home, make_agent(folder, sources=[TWEETS], epochs=1))
    found = decisions(open_ledger(home_at(home).ledger_url), "tiny")
    assert [(d.challenger, d.champion) for d in found] == [(1, None), (2, 1)]
    rows = {test.name: test.rows for test in found[1].report.slices}
    assert rows["window=reference"] == rows["domain=products"] > 0
