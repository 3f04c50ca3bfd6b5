"""What holds for every task adapter; a new one joins by a line in ADAPTERS and its case in `cases.py`."""

import subprocess
import sys
from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pytest
import torch
from pydantic import ValidationError
from transformers import PreTrainedTokenizerBase

from models.adapters import ADAPTERS, ENCODED_SCHEMA, Answers, TaskAdapter, get_adapter
from models.baselines import BASELINES
from models.drift_window import count_labels
from models.errors import DataError
from models.evaluate import evaluate
from models.metrics import SCORERS
from models.networks import NETWORKS
from models.schemas import AgentConfig, SourceConfig
from models.task_model import agent_tokenizer
from tests.models.adapters.cases import CASES, Case, Row


@pytest.fixture(params=list(ADAPTERS))
def adapter(request: pytest.FixtureRequest, make_config: Callable[..., AgentConfig]) -> TaskAdapter:
    """Give each adapter in turn."""
    return get_adapter(make_config(request.param, **(CASES[request.param].fields or {})))


@pytest.fixture
def case(adapter: TaskAdapter) -> Case:
    """Give the adapter's rows."""
    return CASES[adapter.name]


@pytest.fixture
def tokenizer(adapter: TaskAdapter) -> PreTrainedTokenizerBase:
    """Give the tokenizer of the adapter's tiny model."""
    return agent_tokenizer(adapter.config)


def _table(schema: pa.Schema, rows: Sequence[Row]) -> pa.Table:
    return pa.table({f.name: pa.array([row[f.name] for row in rows], f.type) for f in schema})


def _rows(adapter: TaskAdapter, rows: Sequence[Row]) -> pa.Table:
    """Make rows with their truth."""
    return _table(adapter.columns(), rows)


def _inputs(adapter: TaskAdapter, rows: Sequence[Row]) -> pa.Table:
    """Make rows as they come to be predicted."""
    return _table(adapter.inputs(), rows)


def _answers(adapter: TaskAdapter, windows: pa.Table, seed: int = 0) -> list[np.ndarray]:
    """Give random answers of the network's kind."""
    rng, size = np.random.default_rng(seed), adapter.shape.outputs
    lengths = [len(ids) for ids in windows["input_ids"].to_pylist()]
    if NETWORKS[adapter.family].writes:
        return [np.stack([rng.integers(5, 10, 3), -rng.random(3)]) for _ in lengths]
    return [rng.normal(size=size if adapter.pools else (length, size)).astype("f4") for length in lengths]


def test_every_adapter_of_the_config_is_there():
    """The names that a config may give are the adapters that exist, each under its own name."""
    choices = AgentConfig.model_json_schema()["properties"]["adapter"]["enum"]
    assert choices == list(ADAPTERS) == list(CASES)
    assert all(adapter.name == name for name, adapter in ADAPTERS.items())


def test_an_adapter_that_is_not_there_is_refused(make_config: Callable[..., AgentConfig]):
    """The error names those that are there."""
    values = make_config().model_dump() | {"adapter": "divination"}
    with pytest.raises(ValidationError, match="Input should be 'text_classification'"):
        AgentConfig.model_validate(values)


def test_an_adapter_says_how_many_labels_it_needs(
    adapter: TaskAdapter, case: Case, make_config: Callable[..., AgentConfig]
):
    """An agent with fewer labels is refused, and one with labels where there are none to have."""
    least, fields = adapter.least_labels, dict(case.fields or {})
    if least is None:
        with pytest.raises(ValidationError, match="has no labels; leave out labels"):
            make_config(adapter.name, **fields | {"labels": ("one",)})
    elif least > 0:
        too_few = ("one", "two", "three")[: least - 1]
        with pytest.raises(ValidationError, match=f"needs at least {least} labels, got {least - 1}"):
            make_config(adapter.name, **fields | {"labels": too_few})


def test_what_an_adapter_names_is_there(adapter: TaskAdapter):
    """Its scorer and its baselines exist, and the source's columns are its own columns."""
    assert adapter.scorer in SCORERS
    assert set(adapter.baselines) <= set(BASELINES)
    assert list(adapter.source_columns(SourceConfig(address="a.csv"))) == adapter.columns().names


def test_columns_are_strings_and_lists_of_strings(adapter: TaskAdapter):
    """Every source can give them; the inputs come first, and the truth after them."""
    names = adapter.columns().names
    assert {str(field.type) for field in adapter.columns()} <= {"string", "list<item: string>"}
    assert names[: len(adapter.inputs())] == adapter.inputs().names
    assert adapter.truth() in names[len(adapter.inputs()) :]


def test_good_rows_pass_the_checks(adapter: TaskAdapter, case: Case):
    """Every check is of something that is measured, a value a row."""
    rows = _rows(adapter, case.rows)
    columns = {name: rows[name].combine_chunks() for name in rows.column_names}
    measures = adapter.measure(adapter.rename(columns, {}))
    assert {check.measure for check in adapter.checks} == set(measures)
    assert {len(values) for values in measures.values()} == {rows.num_rows}


def test_labels_are_listed_by_row(adapter: TaskAdapter, case: Case):
    """Each label of the agent that stands in a row is listed with that row."""
    listed = adapter.labels_of(_rows(adapter, case.rows))
    assert set(listed["label"].to_pylist()) <= set(adapter.config.labels)
    expected = set(range(len(case.rows))) if adapter.config.labels else set()
    assert set(listed["row"].to_pylist()) == expected


def test_every_row_is_a_text(adapter: TaskAdapter, case: Case):
    """What stands for a row is a text of its own, and its document is one too."""
    rows = _rows(adapter, case.rows)
    assert len(set(adapter.texts(rows).to_pylist())) == len(case.rows)
    documents = adapter.documents(rows)
    assert documents is None or all(documents.to_pylist())


@pytest.mark.system
def test_importing_the_adapters_is_quick():
    """Descriptions are checked against the adapters, so importing them loads nothing heavy."""
    code = (
        "import sys, models.adapters\n"
        "print(*{'torch', 'transformers', 'sklearn', 'scipy', 'seqeval', 'pandas'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_encode_gives_windows_in_the_schema(
    adapter: TaskAdapter, case: Case, tokenizer: PreTrainedTokenizerBase
):
    """Windows have the adapter's schema, fit `max_length`, and count rows from where they are told to."""
    encoding = adapter.encode(_inputs(adapter, [*case.rows, case.long]), tokenizer, first_row=7)
    assert encoding.windows.schema == adapter.windows
    assert adapter.windows.names[: len(ENCODED_SCHEMA)] == ENCODED_SCHEMA.names
    assert set(encoding.windows["row"].to_pylist()) == {7, 8, 9}
    assert max(len(ids) for ids in encoding.windows["input_ids"].to_pylist()) <= adapter.config.max_length


def test_a_long_row_is_read_in_windows(adapter: TaskAdapter, case: Case, tokenizer: PreTrainedTokenizerBase):
    """An input of 40 sub-words makes as many windows as its case says."""
    windows = adapter.encode(_inputs(adapter, [case.long]), tokenizer).windows
    assert windows["row"].to_pylist() == [0] * case.windows


def test_the_loss_is_lower_for_right_answers(
    adapter: TaskAdapter, case: Case, tokenizer: PreTrainedTokenizerBase
):
    """Scores that say the truth lose less than random ones, and next to nothing."""
    if NETWORKS[adapter.family].writes:
        pytest.skip("its scores are a vocabulary's; see the tests of the networks that write")
    windows = adapter.encode(_rows(adapter, case.rows[:1]), tokenizer).windows
    labels = torch.tensor(windows["labels"].to_pylist())
    right = adapter.loss(torch.tensor(np.stack(case.answers(adapter, windows))), labels)
    other = adapter.loss(torch.tensor(np.stack(_answers(adapter, windows))), labels)
    assert right.item() < 0.01 < other.item()


def test_right_answers_decode_to_the_truth(
    adapter: TaskAdapter, case: Case, tokenizer: PreTrainedTokenizerBase
):
    """Encoding and decoding are inverse: loud labels come back as the rows' truth, and score 1."""
    rows = _rows(adapter, case.rows)
    windows = adapter.encode(rows, tokenizer).windows
    predictions = adapter.decode(Answers(case.answers(adapter, windows), windows, tokenizer), rows)
    assert adapter.metrics(rows, predictions)[adapter.primary_metric] == pytest.approx(1)
    outcomes = adapter.outcomes(rows, predictions)
    assert outcomes.exact.all()
    assert np.allclose(outcomes.counts[:, 1:], 0)


def test_right_answers_make_a_whole_report(
    adapter: TaskAdapter, case: Case, tokenizer: PreTrainedTokenizerBase
):
    """Its scorer finds no fault, drift can count what was answered, and a user is shown every row."""
    rows = _rows(adapter, case.rows)
    windows = adapter.encode(rows, tokenizer).windows
    predictions = adapter.decode(Answers(case.answers(adapter, windows), windows, tokenizer), rows)
    held_out = rows.append_column("text_hash", pa.array(range(len(case.rows)), pa.uint64()))
    report = evaluate(adapter, held_out, predictions)
    assert report.metrics[report.primary].value == pytest.approx(1)
    assert len(report.confusion) == len(report.confusion_labels)
    assert count_labels(adapter, predictions).shape == (len(case.rows), len(adapter.config.labels))
    assert adapter.show(rows, predictions).num_rows == len(case.rows)


def test_decode_answers_every_row_in_order(
    adapter: TaskAdapter, case: Case, tokenizer: PreTrainedTokenizerBase
):
    """Long, usable and unusable rows each get one answer, and a row's answer is the same among others."""
    lost = [case.lost] if case.lost else []
    rows = _inputs(adapter, [*lost, *case.rows, case.long])
    windows = adapter.encode(rows, tokenizer).windows
    answers = _answers(adapter, windows)
    predictions = adapter.decode(Answers(answers, windows, tokenizer), rows)
    assert predictions.num_rows == rows.num_rows
    confidence = predictions["confidence"].to_numpy()
    assert ((confidence >= 0) & (confidence <= 1)).all()
    place = len(lost) + 1
    own = np.flatnonzero(windows["row"].to_numpy() == place)
    alone = adapter.encode(rows.slice(place, 1), tokenizer).windows
    again = adapter.decode(Answers([answers[i] for i in own], alone, tokenizer), rows.slice(place, 1))
    assert again.equals(predictions.slice(place, 1))


def test_lost_rows_are_counted_and_answered(
    adapter: TaskAdapter, case: Case, tokenizer: PreTrainedTokenizerBase
):
    """A row that leaves no sub-word makes no window, is counted, and gets an answer all the same."""
    if case.lost is None:
        pytest.skip("every row leaves a sub-word")
    rows = _inputs(adapter, [case.lost])
    encoding = adapter.encode(rows, tokenizer)
    assert encoding.windows.num_rows == 0
    assert sum(encoding.unusable.values()) >= 1
    answer = adapter.decode(Answers([], encoding.windows, tokenizer), rows)
    assert answer[adapter.truth()].null_count == 0


def test_an_empty_batch_passes_through(adapter: TaskAdapter, tokenizer: PreTrainedTokenizerBase):
    """No rows make no windows, no predictions and no outcomes."""
    rows = _rows(adapter, [])
    encoding = adapter.encode(rows, tokenizer)
    assert (encoding.windows.num_rows, encoding.unusable) == (0, {})
    predictions = adapter.decode(Answers([], encoding.windows, tokenizer), rows)
    assert predictions.num_rows == 0
    assert adapter.outcomes(rows, predictions).counts.shape == (0, 3)


def test_no_rows_have_no_score(adapter: TaskAdapter, tokenizer: PreTrainedTokenizerBase):
    """A score is never invented for an empty set of rows."""
    rows = _rows(adapter, [])
    windows = adapter.encode(rows, tokenizer).windows
    predictions = adapter.decode(Answers([], windows, tokenizer), rows)
    with pytest.raises(DataError, match="no rows to score"):
        adapter.metrics(rows, predictions)


def test_a_bad_label_is_named(adapter: TaskAdapter, case: Case, tokenizer: PreTrainedTokenizerBase):
    """A label that the config lacks is an error that says which, how often and what to do."""
    if case.bad is None:
        pytest.skip("any truth is right")
    name = np.atleast_1d(case.bad[adapter.truth()])[0]
    with pytest.raises(DataError, match=f"'{name}' is not .* to `labels`, or rename it"):
        adapter.encode(_rows(adapter, [*case.rows, case.bad]), tokenizer)


def test_rows_without_truth_have_no_outcomes(
    adapter: TaskAdapter, case: Case, tokenizer: PreTrainedTokenizerBase
):
    """Scoring against nothing is an error."""
    rows = _inputs(adapter, case.rows)
    windows = adapter.encode(rows, tokenizer).windows
    predictions = adapter.decode(Answers(_answers(adapter, windows), windows, tokenizer), rows)
    with pytest.raises(DataError, match="rows are scored against one"):
        adapter.outcomes(rows, predictions)


def test_predictions_of_other_rows_are_refused(
    adapter: TaskAdapter, case: Case, tokenizer: PreTrainedTokenizerBase
):
    """Rows and predictions that do not match in number are not compared."""
    rows = _rows(adapter, case.rows)
    windows = adapter.encode(rows, tokenizer).windows
    predictions = adapter.decode(Answers(_answers(adapter, windows), windows, tokenizer), rows)
    with pytest.raises(DataError, match="that were predicted"):
        adapter.outcomes(rows, predictions.slice(1))
