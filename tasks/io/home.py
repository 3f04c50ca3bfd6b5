"""Where all state lies: one folder, `QUICKSTUDY_HOME`, `./.quickstudy` by default."""

import os
from dataclasses import dataclass
from pathlib import Path

from tasks.io.books import Books, open_books


@dataclass(frozen=True)
class Home:
    """The folders and databases under one root.

    Args:
        root: Absolute path of the state folder.
        ledger_url: SQLAlchemy URL of the ledger.
        mlflow_uri: MLflow tracking and registry URI.
    """

    root: Path
    ledger_url: str
    mlflow_uri: str

    @property
    def search_url(self) -> str:
        """SQLAlchemy URL of the searches: a file of their own, or a schema beside a ledger on a server."""
        file = f"sqlite:///{self.root / 'searches.db'}"
        return file if self.ledger_url.startswith("sqlite") else self.ledger_url

    @property
    def encoded(self) -> Path:
        """Tokenized data sets, a folder each, named by digest."""
        return self.root / "encoded"

    @property
    def trainings(self) -> Path:
        """Fine-tunings, a folder each, named by training digest."""
        return self.root / "trainings"

    @property
    def evaluations(self) -> Path:
        """Per-row outcomes of evaluations, a folder each."""
        return self.root / "evaluations"

    @property
    def cache(self) -> Path:
        """Results of cached steps and what their keys were made of."""
        return self.root / "cache"

    @property
    def results(self) -> Path:
        """Prefect's result files."""
        return self.cache / "results"

    @property
    def artifacts(self) -> Path:
        """MLflow's artifact root."""
        return self.root / "mlartifacts"

    @property
    def prefect(self) -> Path:
        """Prefect's own home: its database and profiles."""
        return self.root / "prefect"

    @property
    def reports(self) -> Path:
        """HTML reports."""
        return self.root / "reports"

    @property
    def scratch(self) -> Path:
        """What is being built; anything in it may go when nobody works."""
        return self.root / "scratch"

    def books(self) -> Books:
        """Open the record: MLflow's store and the ledger."""
        return open_books(self.mlflow_uri, self.ledger_url, str(self.artifacts), self.scratch)

    def make(self) -> "Home":
        """Create the folders that must exist; give this home back."""
        for folder in (self.encoded, self.trainings, self.evaluations, self.results, self.artifacts):
            folder.mkdir(parents=True, exist_ok=True)
        for folder in (self.prefect, self.reports):
            folder.mkdir(parents=True, exist_ok=True)
        return self


def home_at(root: Path, ledger_url: str | None = None, mlflow_uri: str | None = None) -> Home:
    """Lay a home out at `root`; SQLite files there unless URLs say otherwise."""
    root = root.expanduser().resolve()
    return Home(
        root=root,
        ledger_url=ledger_url or f"sqlite:///{root / 'quickstudy.db'}",
        mlflow_uri=mlflow_uri or f"sqlite:///{root / 'mlflow.db'}",
    )


def current_home() -> Home:
    """Give this process's home, from QUICKSTUDY_HOME, QUICKSTUDY_DB and QUICKSTUDY_MLFLOW_URI."""
    return home_at(
        Path(os.environ.get("QUICKSTUDY_HOME") or ".quickstudy"),
        os.environ.get("QUICKSTUDY_DB"),
        os.environ.get("QUICKSTUDY_MLFLOW_URI"),
    )
