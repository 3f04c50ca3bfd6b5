"""An agent that reads more than a text, and turns rows away, through the whole flow `train` and after it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.models.tiny import store_tiny_encoder

pytestmark = pytest.mark.system

PLACES, VERBS = ("Rome", "Bonn", "Oslo"), {"born": "birthplace", "died": "deathplace", "sang": "none"}


def _quickstudy(home: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "deployments.cli", *words],
        env=os.environ | {"QUICKSTUDY_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    return done.stdout


def _agent(folder: Path) -> Path:
    """Write sentences with two entities, and an agent that names their relation or none."""
    store_tiny_encoder(folder / "encoder")
    rows = [
        {"tokens": [f"person{i}", verb, "in", PLACES[i % 3]], "head": [0, 0], "tail": [3, 3], "label": label}
        for i in range(120)
        for verb, label in VERBS.items()
    ]
    (folder / "rows.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    agent = {
        "name": "pairs",
        "adapter": "relation_classification",
        "labels": sorted(VERBS.values()),
        "out_of_scope": "none",
        "sources": [{"address": "rows.jsonl"}],
        "encoder": "./encoder",
        "max_length": 32,
        "stride": 8,
        "epochs": 12,
        "patience": 12,
        "learning_rate": 0.005,
        "head_learning_rate": 0.01,
        "alpha": 0.49,
        "min_slice_rows": 10,
        "typical_change": None,
    }
    path = folder / "pairs.yaml"
    path.write_text(yaml.safe_dump(agent))
    return path


def test_an_agent_of_several_inputs_is_trained_registered_and_asked(tmp_path: Path):
    """It is registered, with which a reload of the stored version had to agree, and answers JSON rows."""
    home = tmp_path / "home"
    _quickstudy(home, "train", str(_agent(tmp_path)))
    # The words give the answer away, so that the baselines are as good and the gate promotes nothing.
    _quickstudy(home, "promote", "pairs", "1")
    asked = [
        json.dumps({"tokens": ["Ada", verb, "in", "Rome"], "head": [0, 0], "tail": [3, 3]}) for verb in VERBS
    ]
    lines = _quickstudy(home, "predict", "pairs", *asked, "--json").splitlines()
    answers = [json.loads(line) for line in lines]
    assert {answer["label"] for answer in answers} <= set(VERBS.values())
    assert all((answer["in_scope"] > 0.5) == (answer["label"] != "none") for answer in answers)
    assert answers[0]["label"] in _quickstudy(home, "predict", "pairs", asked[0])
