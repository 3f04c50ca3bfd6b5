"""Predictions as a user of a registered model sees them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models.errors import DataError
from models.frames import predict_frame
from models.predictor import Predictor
from models.schemas import AgentConfig
from models.task_model import build, save


@pytest.fixture
def load(make_config: Callable[..., AgentConfig], tmp_path: Path) -> Callable[[str], Predictor]:
    """Give a function that builds, stores and loads an agent of an adapter."""

    def loaded(adapter: str) -> Predictor:
        config = make_config(adapter)
        save(tmp_path / adapter, *build(config), config)
        return Predictor.load(tmp_path / adapter)

    return loaded


def test_a_class_has_a_column(load: Callable[[str], Predictor]):
    """Probabilities sum to one, and the label is the likeliest class."""
    frame = predict_frame(load("text_classification"), ["good", "bad"])
    shares = frame[["probability_neg", "probability_neu", "probability_pos"]].to_numpy()
    assert np.allclose(shares.sum(axis=1), 1)
    assert frame["label"].tolist() == [("neg", "neu", "pos")[i] for i in shares.argmax(axis=1)]
    assert np.allclose(frame["confidence"], shares.max(axis=1))


def test_frames_and_lists_answer_alike(load: Callable[[str], Predictor]):
    """A column of texts is the same as a list of them."""
    predictor = load("text_classification")
    texts = ["good", "bad", ""]
    pd.testing.assert_frame_equal(
        predict_frame(predictor, texts), predict_frame(predictor, pd.DataFrame({"text": texts}))
    )


def test_words_have_tags_and_entities(load: Callable[[str], Predictor]):
    """Each entity's text is its words, from the first to the last."""
    frame = predict_frame(load("token_classification"), ["Anna lives in Bonn", "no", "one two three"])
    assert frame["tokens"].tolist()[0] == ["Anna", "lives", "in", "Bonn"]
    for _, row in frame.iterrows():
        assert len(row["tokens"]) == len(row["tags"]) == len(row["confidences"])
        begun = [tag for tag in row["tags"] if tag.startswith("B-")]
        assert [f"B-{entity['label']}" for entity in row["entities"]] == begun
        for entity in row["entities"]:
            assert entity["text"] == " ".join(row["tokens"][entity["first"] : entity["last"] + 1])


def test_tokens_may_come_split(load: Callable[[str], Predictor]):
    """Lists and arrays of words are taken as they are."""
    predictor = load("token_classification")
    split = predict_frame(predictor, pd.DataFrame({"tokens": [np.array(["New York", "is"], dtype=object)]}))
    assert split["tokens"].tolist() == [["New York", "is"]]


def test_another_column_is_refused(load: Callable[[str], Predictor]):
    """A frame's first column is not taken for the text by chance."""
    with pytest.raises(DataError, match=r"columns are 'id'; give 'text'"):
        predict_frame(load("text_classification"), pd.DataFrame({"id": ["1"]}))
