"""What holds for every baseline that an adapter names."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from models.adapters import ADAPTERS, get_adapter
from models.baselines import BASELINES, Baseline, predict_baselines
from models.schemas import AgentConfig
from models.schemas.agent import AdapterName

EVERY = [(adapter, name) for adapter, one in ADAPTERS.items() for name in one.baselines]
ROWS = {
    "text_classification": pa.table(
        {
            "text": ["so good :)", "so bad", "it is a film", "good good", "bad bad film", "a word"] * 10,
            "label": ["pos", "neg", "neu", "pos", "neg", "neu"] * 10,
        }
    ),
    "token_classification": pa.table(
        {
            "tokens": [["in", "New", "York"], ["Ada", "sings"], ["in", "Rome", "Ada", "lives"]] * 10,
            "tags": [["O", "B-loc", "I-loc"], ["B-per", "O"], ["O", "B-loc", "B-per", "O"]] * 10,
        }
    ),
    "multi_label_classification": pa.table(
        {
            "text": ["so good :)", "so bad", "it is a film", "good bad", "bad film", "good good"] * 10,
            "labels": [["pos"], ["neg"], ["neu"], ["neg", "pos"], ["neg", "neu"], ["pos"]] * 10,
        }
    ),
    "relation_classification": pa.table(
        {
            "tokens": [["Ada", "in", "Rome"], ["king", "of", "Rome"], ["Bob", "in", "Bonn"]] * 10,
            "head": [["0", "0"]] * 30,
            "tail": [["2", "2"]] * 30,
            "label": ["in", "of", "in"] * 10,
        }
    ),
    "multiple_choice": pa.table(
        {
            "question": ["who is in Rome", "a king of Bonn", "so good"] * 10,
            "choices": [["a film", "Ada in Rome"], ["the king", "so many other films"], ["bad", "good"]] * 10,
            "answer": ["Ada in Rome", "the king", "good"] * 10,
        }
    ),
    "relation_extraction": pa.table(
        {
            "tokens": [["Ada", "in", "Rome"], ["king", "of", "Bonn"], ["Bob", "in", "Oslo"]] * 10,
            "relations": [["in 0 0 2 2"], ["of 0 0 2 2"], ["in 0 0 2 2"]] * 10,
        }
    ),
    "translation": pa.table(
        {
            "text": ["a good film", "dull", "so good", "so so", "the film", "a user"] * 10,
            "target": ["ein guter film", "langweilig", "so gut", "so so", "der film", "ein user"] * 10,
        }
    ),
    "summarization": pa.table(
        {
            "text": ["a film. it is good", "so dull. a film", "the user. says so", "so so. a word"] * 10,
            "target": ["a good film", "a dull film", "the user says so", "so so"] * 10,
        }
    ),
    "dialogue": pa.table(
        {
            "turns": pa.array([["a film"], ["so", "good", "so dull"], ["the user"], ["so so"]] * 10),
            "target": ["a good film", "a dull film", "the user says so", "so so"] * 10,
        }
    ),
    "dialogue_state": pa.table(
        {
            "turns": pa.array([["a film"], ["so", "good", "so dull"], ["the user"], ["so so"]] * 10),
            "slots": pa.array([["film: a film"], ["mood: of the user"]] * 20),
            "state": pa.array([["film=good"], ["mood=dull"], [], ["mood=so"]] * 10, pa.list_(pa.string())),
        }
    ),
    "question_answering": pa.table(
        {
            "question": ["who sings", "where is Ada"] * 10,
            "context": ["Ada sings. She rests.", "It rains. Ada is in Rome."] * 10,
            "answers": pa.array([["Ada"], ["in Rome"]] * 10),
        }
    ),
}


@pytest.fixture(params=EVERY, ids=[name for _, name in EVERY])
def case(
    request: pytest.FixtureRequest, make_config: Callable[..., AgentConfig]
) -> tuple[AgentConfig, Baseline, pa.Table]:
    """Give each baseline with rows of its task type."""
    adapter, name = request.param
    config = make_config(adapter)
    return config, BASELINES[name](get_adapter(config)), ROWS[adapter]


Case = tuple[AgentConfig, Baseline, pa.Table]


def test_answers_are_the_adapters_predictions(case: Case):
    """The adapter can score them: one valid answer a row, with a confidence from 0 to 1."""
    config, baseline, rows = case
    predictions = baseline.fit(rows).predict(rows)
    scores = get_adapter(config).metrics(rows, predictions)
    assert scores[get_adapter(config).primary_metric] > 0
    confidence = predictions["confidence"].to_numpy()
    assert ((confidence >= 0) & (confidence <= 1 + 1e-9)).all()


def test_same_seed_same_answers(case: Case):
    """Fitting twice gives equal predictions."""
    _, baseline, rows = case
    assert baseline.fit(rows).predict(rows).equals(baseline.fit(rows).predict(rows))


def test_one_training_row_is_enough(case: Case):
    """With a single row there is an answer for everything."""
    _, baseline, rows = case
    assert baseline.fit(rows.slice(0, 1)).predict(rows).num_rows == rows.num_rows


def test_nothing_to_answer_gives_no_answers(case: Case):
    """An empty table gives an empty table of the same columns."""
    _, baseline, rows = case
    answers = baseline.fit(rows).predict(rows)
    assert baseline.predict(rows.slice(0, 0)).schema.names == answers.schema.names


@pytest.mark.parametrize("adapter", list(ADAPTERS))
def test_all_baselines_of_a_task_type_answer(adapter: AdapterName, make_config: Callable[..., AgentConfig]):
    """One call gives the predictions of each baseline by name."""
    rows = ROWS[adapter]
    answers = predict_baselines(make_config(adapter), rows, rows)
    assert tuple(answers) == ADAPTERS[adapter].baselines
    assert all(table.num_rows == rows.num_rows for table in answers.values())


@pytest.mark.parametrize("adapter", [name for name, one in ADAPTERS.items() if len(one.baselines) > 1])
def test_the_last_baseline_learns_no_less_than_the_first(
    adapter: AdapterName, make_config: Callable[..., AgentConfig]
):
    """TF-IDF beats the majority, and the CRF does not lose to the commonest tag."""
    rows = ROWS[adapter]
    config = make_config(adapter)
    right = [
        np.mean(get_adapter(config).outcomes(rows, table).exact)
        for table in predict_baselines(config, rows, rows).values()
    ]
    assert right[-1] >= right[0]
    assert right[-1] == 1
