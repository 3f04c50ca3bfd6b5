"""How likely true answers are, window by window."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
import torch

from models.adapters import IGNORED, get_adapter
from models.likelihood import surprise
from models.metrics.perplexity import perplexity
from models.predictor import Predictor, pad_id
from models.schemas import AgentConfig
from models.task_model import SavedAgent, build

ROWS = {
    "translation": {
        "text": ["a good film", "dull", "so so so"],
        "target": ["ein guter Film", "so", "a film"],
    },
    "dialogue": {
        "turns": [["a good film"], ["dull", "so", "so"], ["a"]],
        "target": ["so", "a film", "good ."],
    },
}


@pytest.fixture(params=list(ROWS))
def predictor(request: pytest.FixtureRequest, make_config: Callable[..., AgentConfig]) -> Predictor:
    """Give an agent that writes, of both kinds."""
    config = make_config(request.param)
    model, tokenizer = build(config)
    return Predictor(SavedAgent(model.eval(), tokenizer, config), get_adapter(config))


def test_each_window_has_its_own_likelihood(predictor: Predictor):
    """Padding changes nothing: the sums are those of the adapter's loss of each window by itself."""
    rows = pa.table(ROWS[predictor.adapter.name])
    windows = predictor.adapter.encode(rows, predictor.agent.tokenizer).windows
    found = surprise(predictor.agent.model, windows, pad_id(predictor.agent), 1024)
    for window, (nats, targets) in zip(windows.to_pylist(), found, strict=True):
        ids, labels = torch.tensor([window["input_ids"]]), torch.tensor([window["labels"]])
        with torch.inference_mode():
            scores = predictor.agent.model(input_ids=ids, attention_mask=None, labels=labels)
        assert targets == (labels != IGNORED).sum()
        assert nats / targets == pytest.approx(predictor.adapter.loss(scores, labels).item(), abs=1e-5)


def test_predictions_of_labelled_rows_tell_the_truths_likelihood(predictor: Predictor):
    """The perplexity of a model that has learned nothing is no better than drawing from its vocabulary."""
    rows = pa.table(ROWS[predictor.adapter.name])
    found = perplexity(predictor.predict_labelled(rows), seed=0)
    assert found.low <= found.value <= found.high
    assert 5 < found.value < 500


def test_perplexity_is_over_sub_words():
    """A long text weighs more than a short one."""
    table = pa.table({"nll": [np.log(2) * 3, np.log(4)], "targets": [3.0, 1.0]})
    assert perplexity(table, 0).value == pytest.approx(2**1.25)
