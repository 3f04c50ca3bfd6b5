"""Adapt a small encoder, as a start that has learned nothing yet, to a few examples."""

from collections.abc import Callable
from pathlib import Path

import pytest

from models.errors import DataError
from models.meta.store import plain_start, save_start
from models.schemas import AgentConfig, ArtifactRef
from models.schemas.start import StartConfig
from tasks.io import learning
from tasks.io.learning import Learned, learn
from tasks.io.snapshots import ingest
from tests.models.tiny import store_tiny_encoder

ONE_EACH = (
    "text,label\n"
    "my card was stolen on the train,lost card\n"
    "when will my salary arrive,transfer\n"
    "how do I make a new password,password\n"
)
Starts = Callable[[bool], ArtifactRef]


@pytest.fixture(scope="session")
def starts(tmp_path_factory: pytest.TempPathFactory) -> Starts:
    """Give a function that stores an encoder as a start that reads classes' names, or does not."""
    folder, kept = tmp_path_factory.mktemp("starts"), {}
    encoder = folder / "encoder"
    store_tiny_encoder(encoder)

    def make(names: bool) -> ArtifactRef:
        if names not in kept:
            source = {"adapter": "text_classification", "source": {"address": "rows.csv"}}
            config = StartConfig.model_validate(
                {"name": "plain", "sources": [source], "names": names, "encoder": str(encoder)}
            )
            kept[names] = save_start(folder / str(names), plain_start(config))
        return kept[names]

    return make


def _learned(folder: Path, start: ArtifactRef, rows: str) -> Learned:
    (folder / "few.csv").write_text(rows, "utf-8")
    config = AgentConfig.model_validate(
        {
            "name": "few",
            "adapter": "text_classification",
            "labels": ["lost card", "transfer", "password"],
            "sources": [{"address": str(folder / "few.csv")}],
            "stride": 0,
            "max_length": 64,
            "unit_features": True,
        }
    )
    snapshot = ingest(config, folder)
    return learn(config, start, snapshot, folder / "model", folder / "outcomes")


def test_one_example_a_label_is_enough_where_names_are_read(tmp_path: Path, starts: Starts):
    """Each example is answered from the others and the labels' names."""
    learned = _learned(tmp_path, starts(True), ONE_EACH)
    assert learned.evaluation.metrics[learned.evaluation.primary].rows == 3


def test_one_example_a_label_says_what_to_add_where_names_are_not_read(tmp_path: Path, starts: Starts):
    """Nothing is left to try the agent on."""
    with pytest.raises(DataError, match="Add a second one for some of them, or name a start"):
        _learned(tmp_path, starts(False), ONE_EACH)


def test_a_label_without_examples_is_refused(tmp_path: Path, starts: Starts):
    """Its name is told."""
    with pytest.raises(DataError, match="Label 'password' has no example"):
        _learned(tmp_path, starts(True), ONE_EACH.rsplit("\n", 2)[0] + "\n")


def test_more_examples_than_fit_at_once_are_refused(
    tmp_path: Path, starts: Starts, monkeypatch: pytest.MonkeyPatch
):
    """The whole support is one batch; training takes as many as there are."""
    monkeypatch.setattr(learning, "_MOST_EXAMPLES", 2)
    with pytest.raises(DataError, match=r"There are 3 examples, .* to 2 at most\. `quickstudy train`"):
        _learned(tmp_path, starts(True), ONE_EACH)
