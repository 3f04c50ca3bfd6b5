"""Rows that are none of the classes."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from models.adapters import get_adapter
from models.adapters.scope import margins, threshold
from models.errors import ConfigError
from models.predictor import Predictor
from models.preprocess import encode_snapshot
from models.schemas import AgentConfig, ArtifactRef
from models.schemas.load import agent_from_mapping
from models.training.files import folder_ref
from models.training.job import TrainJob
from models.training.loop import fine_tune

WORDS = {"neg": "awful bad poor sad", "pos": "great good happy fine", "oos": "seven paper table chair"}
FIELDS = {"labels": ("neg", "pos", "oos"), "out_of_scope": "oos"}


def _rows(kinds: tuple[str, ...], split: str, count: int = 60) -> pa.Table:
    rng = np.random.default_rng(0)
    labels = [kinds[i % len(kinds)] for i in range(count)]
    texts = [" ".join(rng.choice(WORDS[label].split(), rng.integers(2, 8))) for label in labels]
    return pa.table({"text": texts, "label": labels, "split": [split] * count})


@pytest.fixture
def train(make_config: Callable[..., AgentConfig], tmp_path: Path) -> Callable[..., Predictor]:
    """Give a function that trains an agent on rows, and loads it."""

    def _train(rows: pa.Table, **changes: object) -> Predictor:
        quick = {"epochs": 8, "patience": 8, "learning_rate": 5e-3, "head_learning_rate": 1e-2}
        config = make_config(**FIELDS, **quick, **changes)
        pq.write_table(rows, tmp_path / "rows.parquet")
        encode_snapshot(config, tmp_path / "rows.parquet", tmp_path / "encoded")
        encoded = ArtifactRef(
            address=str(tmp_path / "encoded"), digest=folder_ref(tmp_path / "encoded").digest
        )
        job = TrainJob(config=config, encoded=encoded, rows=str(tmp_path / "rows.parquet"), out=str(tmp_path))
        return Predictor.load(Path(fine_tune(job).model.address))

    return _train


def test_a_margin_is_over_the_best_class():
    """Out-of-scope is compared with the classes and not with itself."""
    assert margins(np.array([[3.0, 1.0, 2.0], [0.0, 5.0, 1.0]]), place=1).tolist() == [2.0, -4.0]


@pytest.mark.parametrize(("share", "passing"), [(0.95, 95), (0.951, 96), (0.6, 60), (0.999, 100)])
def test_as_many_rows_pass_as_are_asked_for(share: float, passing: int):
    """At least the share of the rows lies above the threshold, and no row more than need be."""
    rows = np.random.default_rng(0).normal(size=100)
    assert (rows > threshold(rows, share)).sum() == passing


def test_one_row_is_enough_for_a_threshold():
    """It passes."""
    assert threshold(np.array([3.0]), 0.95) < 3.0


def test_the_stored_model_turns_away_what_is_no_class(train: Callable[..., Predictor]):
    """It has learned two classes and a few rows of neither, and answers all three."""
    taught = _rows(("neg", "pos", "neg", "pos", "oos"), "train", 100)
    predictor = train(pa.concat_tables([taught, _rows(("neg", "pos", "oos"), "validation")]))
    found = predictor.predict(_rows(("neg", "pos", "oos"), "test"))
    assert np.mean(np.array(found["label"].to_pylist()) == np.tile(["neg", "pos", "oos"], 20)) > 0.8
    outside = np.array(found["label"].to_pylist()) == "oos"
    assert (found["in_scope"].to_numpy()[outside] <= 0.5).all()
    assert (found["in_scope"].to_numpy()[~outside] >= 0.5).all()


def test_no_row_out_of_scope_is_needed(train: Callable[..., Predictor]):
    """Without any, the share of the classes' validation rows that passes is what was asked for."""
    kinds = ("neg", "pos")
    rows = pa.concat_tables([_rows(kinds, "train", 100), _rows(kinds, "validation", 50)])
    predictor = train(rows, in_scope_share=0.8)
    found = predictor.predict(_rows(kinds, "validation", 50))
    assert (np.array(found["label"].to_pylist()) == "oos").sum() <= 10
    head = predictor.agent.model.get_submodule("head")
    assert isinstance(head, torch.nn.Linear)
    assert not head.weight[2].any()
    assert head.bias[2] != 0


def test_a_user_sees_how_far_a_row_is_in_scope(make_config: Callable[..., AgentConfig]):
    """`in_scope` stands among what a registered model shows, only where out-of-scope is known."""
    for fields, expected in ((FIELDS, True), ({}, False)):
        adapter = get_adapter(make_config(**fields))
        rows = pa.table({"text": ["good"]})
        answers = pa.table({"label": ["pos"], "confidence": [0.9], "probabilities": [[0.1, 0.8, 0.1]]})
        answers = answers.append_column("in_scope", pa.array([0.7])) if expected else answers
        assert ("in_scope" in adapter.show(rows, answers).column_names) == expected


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"out_of_scope": "else"}, "out_of_scope is 'else', which is not among labels; add it there"),
        ({"labels": ["a", "oos"]}, "needs at least 2 labels besides out_of_scope, got 1"),
        ({"adapter": "token_classification"}, "token classification knows no out_of_scope; leave it out"),
    ],
)
def test_a_label_that_can_not_be_out_of_scope_is_refused(changes: dict[str, object], message: str):
    """It has to be one of three labels or more, of a task type that has classes."""
    values: dict[str, object] = {"name": "a", "adapter": "text_classification", "labels": ["a", "b", "oos"]}
    values |= {"sources": [{"address": "x.csv"}], "out_of_scope": "oos"}
    with pytest.raises(ConfigError, match=message):
        agent_from_mapping(values | changes)
