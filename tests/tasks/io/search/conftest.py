"""A search on a few rows and an encoder that trains in moments, in a home of the test's own."""

from collections.abc import Callable
from pathlib import Path
from shutil import copyfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.schemas import AgentConfig
from models.schemas.trials import Search, Trial, TrialReport
from tasks.io.home import Home, home_at
from tasks.io.search.coordinator import begin
from tasks.io.snapshots import ingest
from tests.models.tiny import store_tiny_encoder

WORDS = {"neg": "awful bad poor sad", "pos": "great good happy fine"}
SEARCH = {
    "learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
    "freeze": ["none", "encoder"],
    "epochs": {"low": 2, "high": 6, "step": 2},
}


@pytest.fixture
def home(empty_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Lay a home out that this process works in."""
    root = tmp_path / "home"
    made = home_at(root).make()
    copyfile(empty_home / "mlflow.db", root / "mlflow.db")
    monkeypatch.setenv("QUICKSTUDY_HOME", str(root))
    for name in ("QUICKSTUDY_DB", "QUICKSTUDY_MLFLOW_URI"):
        monkeypatch.delenv(name, raising=False)
    return made


@pytest.fixture(scope="session")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write short texts whose words tell the label, and the encoder beside them; give the rows' file."""
    folder = tmp_path_factory.mktemp("rows")
    texts = [
        f"{word} thing number {i}" for i in range(40) for line in WORDS.values() for word in line.split()
    ]
    labels = [label for _ in range(40) for label, line in WORDS.items() for _ in line.split()]
    pq.write_table(pa.table({"text": texts, "label": labels}), folder / "rows.parquet")
    store_tiny_encoder(folder / "encoder")
    return folder / "rows.parquet"


@pytest.fixture
def make_agent(rows: Path) -> Callable[..., AgentConfig]:
    """Give a function that describes an agent with a search."""

    def make(**changes: object) -> AgentConfig:
        values = {
            "name": "agent",
            "adapter": "text_classification",
            "labels": ("neg", "pos"),
            "sources": ({"address": str(rows)},),
            "encoder": str(rows.parent / "encoder"),
            "max_length": 32,
            "stride": 8,
            "epochs": 4,
            "search": SEARCH,
            "search_trials": 4,
        }
        return AgentConfig.model_validate(values | changes)

    return make


@pytest.fixture
def make_search(make_agent: Callable[..., AgentConfig], home: Home) -> Callable[..., Search]:
    """Give a function that begins a search."""

    def make(**changes: object) -> Search:
        config = make_agent(**changes)
        return begin(home, config, ingest(config, home.root, config.sources))

    return make


def pretend(trial: Trial) -> TrialReport:
    """Score a trial without training: the nearer its rate is to 1e-3, the better."""
    rate = float(trial.values["learning_rate"] or 0)
    return TrialReport(state="complete", score=1.0 - abs(rate - 1e-3), seconds=10.0)
