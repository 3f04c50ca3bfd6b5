"""The proposed file: the user's own text with other values."""

from pathlib import Path

import pytest

from models.errors import ConfigError
from models.schemas.load import load_agent
from models.schemas.search import Values
from models.schemas.trials import Search, SearchReport, Trial, TrialReport, Tried
from tasks.io.search.coordinator import proposed
from tasks.io.search.proposal import written

TEXT = """\
# Tells moods apart.
name: mood
adapter: text_classification
labels: [bad, good]
sources:
  - address: rows.csv
learning_rate: 1.0e-4   # as everybody has it
search:
  learning_rate: {low: 1.0e-5, high: 1.0e-2, log: true}
  freeze: [none, gradual]
  unit_features: [false, true]
"""


def _told(path: Path, values: Values) -> SearchReport:
    """Pretend that a search found these values."""
    config = load_agent(path)
    search = Search.model_construct(study="mood-1", config=config, run="1")
    trials = tuple(
        Tried(
            trial=Trial(study="mood-1", number=number, values=tried),
            report=TrialReport(state="complete", score=score),
        )
        for number, tried, score in ((0, _present(path), 0.5), (1, values, 0.75))
    )
    return SearchReport.model_construct(
        search=search,
        metric="macro_f1",
        trials=trials,
        best=1,
        present=_present(path),
        proposed=proposed(config, values),
    )


def _present(path: Path) -> Values:
    config = load_agent(path)
    return {name: getattr(config, name) for name in config.search}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Write the user's file."""
    file = tmp_path / "mood.yaml"
    file.write_text(TEXT)
    return file


FOUND: Values = {"learning_rate": 3.2e-3, "freeze": "none", "unit_features": True}


def test_the_users_text_stays(path: Path):
    """Values are set in their lines or added at the end; comments and order stay, and the reason is told."""
    text = written(_told(path, FOUND), TEXT)
    assert "learning_rate: 0.0032   # as everybody has it\n" in text
    assert text.endswith("freeze: none\nunit_features: true\n")
    assert "# Tells moods apart." in text
    assert "trial 1 of 2" in text
    assert "macro F1 0.7500, with the values as they were 0.5000" in text.replace("\n# ", " ")


@pytest.mark.parametrize("text", [TEXT, None, "{" + "name: mood, adapter: text_classification}"])
def test_the_proposed_file_says_what_is_proposed(path: Path, text: str | None):
    """Whatever the user's text looks like, what is written reads as the proposed description."""
    told = _told(path, FOUND)
    path.write_text(written(told, text))
    assert load_agent(path) == told.proposed


def test_nothing_proposed_is_nothing_written(path: Path):
    """There is no file to write where the description as it stands was the best."""
    told = _told(path, FOUND).model_copy(update={"proposed": None})
    with pytest.raises(ConfigError, match="nothing better"):
        written(told, TEXT)
