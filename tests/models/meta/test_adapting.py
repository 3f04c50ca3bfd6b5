"""From a start and a few examples to an agent's model: it answers as the learner does."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
import torch
from transformers import PreTrainedModel

from models.adapters import get_adapter
from models.encoder import load_tokenizer
from models.episodes import Pool
from models.errors import ConfigError
from models.learners import LEARNERS
from models.meta.adapting import Adaptation, Examples, cross_validated, folds, read_examples
from models.meta.store import StoredStart
from models.schemas import AgentConfig
from models.schemas.start import StartConfig

LEARNERS_THAT_ADAPT = {
    "prototypical": {},
    "ridge": {},
    "anil": {"inner_steps": 3},
    "maml": {"inner_steps": 2},
}


def _stored(encoder: PreTrainedModel, learner: str) -> StoredStart:
    source = {"adapter": "text_classification", "source": {"address": "rows.csv"}}
    config = StartConfig.model_validate(
        {
            "name": "s",
            "sources": [source],
            "learner": learner,
            "learner_settings": LEARNERS_THAT_ADAPT[learner],
            "meta_layers": 1,
        }
    )
    return StoredStart(config, encoder, None, {})  # type: ignore[arg-type]  # names alone need a tokenizer


def _examples(pool: Pool) -> Examples:
    windows = pa.table(
        {"input_ids": pool.ids.to_arrow(pa.int32()), "labels": pool.labels.to_arrow(pa.int32())}
    )
    return Examples(pa.table({"row": np.arange(len(pool))}), windows)


@pytest.fixture(params=list(LEARNERS_THAT_ADAPT))
def adaptation(
    request: pytest.FixtureRequest,
    make_encoder: Callable[..., PreTrainedModel],
    make_pool: Callable[..., Pool],
) -> Adaptation:
    """Set a start up for a pool of three classes, for each learner in turn."""
    pool = make_pool(classes=3)
    return Adaptation.of(_stored(make_encoder(), request.param), _examples(pool), pool.classes)


def test_every_learner_that_is_tried_is_there():
    """The settings here name learners."""
    assert set(LEARNERS_THAT_ADAPT) <= set(LEARNERS)


def test_the_agents_model_answers_as_the_learner_does(adaptation: Adaptation):
    """Encoder and linear head give the probabilities that adapting and scoring gives."""
    support, query = np.arange(0, 30, 2), np.arange(1, 30, 2)
    expected = torch.from_numpy(adaptation.scores(support, query)).softmax(-1)
    pool = adaptation.reader.pool
    model = adaptation.model(support)
    ids = torch.from_numpy(pool.ids.padded(query, 0))
    mask = torch.from_numpy(np.arange(ids.shape[1]) < pool.ids.lengths[query][:, None]).long()
    with torch.no_grad():
        torch.testing.assert_close(model(ids, mask).softmax(-1), expected, rtol=1e-3, atol=1e-5)


def test_making_a_model_leaves_the_start_as_it_is(adaptation: Adaptation):
    """Scores after it are those before it, also where weights adapt."""
    support, query = np.arange(0, 30, 2), np.arange(1, 30, 2)
    before = adaptation.scores(support, query)
    adaptation.model(support)
    np.testing.assert_array_equal(adaptation.scores(support, query), before)


def test_an_example_that_the_support_holds_already_is_left_out(make_config: Callable[..., AgentConfig]):
    """Rows with the same sub-words count once; a row that is a label's name not at all beside the names."""
    config = make_config(labels=["good one", "bad"], stride=0)
    tokenizer = load_tokenizer(config.encoder)
    texts = ["so fine", "So  fine", "good one", "awful"]
    labels = ["good one", "good one", "good one", "bad"]
    rows = pa.table({"text": texts, "label": labels})
    kept = {
        names: read_examples(rows, get_adapter(config), tokenizer, names=names).rows["text"].to_pylist()
        for names in (False, True)
    }
    assert kept == {False: ["so fine", "good one", "awful"], True: ["so fine", "awful"]}


def test_tags_are_refused_with_a_way_on(make_config: Callable[..., AgentConfig]):
    """The message names the command that takes such an agent."""
    config = make_config("token_classification")
    with pytest.raises(ConfigError, match="`quickstudy train` fine-tunes such an agent"):
        read_examples(pa.table({}), get_adapter(config), load_tokenizer(config.encoder))


def test_cross_validation_asks_about_each_example_once(adaptation: Adaptation):
    """Every row that has company in its class gets scores, in the order of the rows."""
    asked, logits = cross_validated(adaptation, adaptation.reader.pool.labels.values[:30], seed=0)
    assert asked.tolist() == list(range(30))
    assert logits.shape == (30, 3)


def test_a_row_is_in_no_fold_with_all_of_its_class():
    """Each fold leaves every class somebody to learn from."""
    labels = np.array([0] * 2 + [1] * 13 + [2] * 5)
    for rows in folds(labels, seed=0):
        rest = np.setdiff1d(np.arange(len(labels)), rows)
        assert set(labels[rest]) == {0, 1, 2}


def test_the_only_example_of_a_class_is_never_asked_about():
    """Nobody could know its class."""
    labels = np.array([0, 1, 1, 2, 2])
    assert sorted(np.concatenate(list(folds(labels, seed=0))).tolist()) == [1, 2, 3, 4]


def test_where_names_are_read_each_example_is_asked_about():
    """A class's name is left of it; examples that are alone are in different folds."""
    labels = np.array([0, 1, 2, 3, 3])
    found = list(folds(labels, seed=0, named=True))
    assert sorted(np.concatenate(found).tolist()) == [0, 1, 2, 3, 4]
    assert max((rows < 3).sum() for rows in found) == 1


def test_one_example_of_one_class_each_is_enough_where_names_are_read():
    """Ten classes of one example are ten questions."""
    assert [len(rows) for rows in folds(np.arange(10), seed=0, named=True)] == [1] * 10


def test_folds_depend_on_the_seed_alone():
    """The same seed deals the same folds."""
    labels = np.repeat(np.arange(4), 6)
    first, again, other = ([f.tolist() for f in folds(labels, seed)] for seed in (1, 1, 2))
    assert first == again != other
