"""What holds for every task adapter; a new one joins by a line in ADAPTERS and its cases here."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pytest
import torch
from pydantic import ValidationError
from transformers import PreTrainedTokenizerBase

from models.adapters import ADAPTERS, ENCODED_SCHEMA, IGNORED, TaskAdapter, get_adapter
from models.baselines import BASELINES
from models.encoder import load_tokenizer
from models.errors import DataError
from models.metrics import SCORERS
from models.schemas import AgentConfig, SourceConfig

Values = list[str] | list[list[str]]


@dataclass(frozen=True)
class Case:
    """An adapter's rows; `lost` leaves no sub-word, `long` needs several windows of 16."""

    inputs: Values
    truth: Values
    long: str | list[str]
    lost: str | list[str]
    bad: str | list[str]


CASES = {
    "text_classification": Case(
        ["a good film", "dull"], ["pos", "neg"], long="so " * 40, lost="\x00", bad="great"
    ),
    "token_classification": Case(
        [["in", "New", "York"], ["Ada"]],
        [["O", "B-loc", "I-loc"], ["B-per"]],
        long=["so"] * 40,
        lost=["\x00", "\x00"],
        bad=["B-org"],
    ),
}


@pytest.fixture(params=list(ADAPTERS))
def adapter(request: pytest.FixtureRequest, make_config: Callable[..., AgentConfig]) -> TaskAdapter:
    """Give each adapter in turn."""
    return get_adapter(make_config(request.param))


@pytest.fixture
def case(adapter: TaskAdapter) -> Case:
    """Give the adapter's rows."""
    return CASES[adapter.name]


@pytest.fixture(scope="module")
def tokenizer(make_config: Callable[..., AgentConfig]) -> PreTrainedTokenizerBase:
    """Give the tiny encoder's tokenizer."""
    return load_tokenizer(make_config().encoder)


def _rows(adapter: TaskAdapter, inputs: Values, truth: Values | None = None) -> pa.Table:
    schema = adapter.columns()
    names = schema.names if truth is not None else schema.names[:1]
    columns = [inputs] if truth is None else [inputs, truth]
    return pa.table({n: pa.array(c, schema.field(n).type) for n, c in zip(names, columns, strict=True)})


def _logits(adapter: TaskAdapter, windows: pa.Table, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    lengths = [len(ids) for ids in windows["input_ids"].to_pylist()]
    size = len(adapter.outputs)
    return [rng.normal(size=size if adapter.pools else (length, size)).astype("f4") for length in lengths]


def _right_logits(adapter: TaskAdapter, windows: pa.Table) -> list[np.ndarray]:
    """Give logits that say the windows' labels loudly."""
    labels = [np.array(one) for one in windows["labels"].to_pylist()]
    loud = [10 * (one[:, None] == np.arange(len(adapter.outputs))) for one in labels]
    return [one[0] if adapter.pools else one for one in loud]


def test_every_adapter_of_the_config_is_there():
    """The names that a config may give are the adapters that exist, each under its own name."""
    choices = AgentConfig.model_json_schema()["properties"]["adapter"]["enum"]
    assert choices == list(ADAPTERS) == list(CASES)
    assert all(adapter.name == name for name, adapter in ADAPTERS.items())


def test_an_adapter_that_is_not_there_is_refused(make_config: Callable[..., AgentConfig]):
    """The error names those that are there."""
    values = make_config().model_dump() | {"adapter": "translation"}
    with pytest.raises(ValidationError, match="Input should be 'text_classification' or 'token_class"):
        AgentConfig.model_validate(values)


def test_an_adapter_says_how_many_labels_it_needs(
    adapter: TaskAdapter, make_config: Callable[..., AgentConfig]
):
    """An agent with fewer labels is refused."""
    if adapter.least_labels > 1:
        with pytest.raises(ValidationError, match=f"needs at least {adapter.least_labels} labels, got 1"):
            make_config(adapter.name, labels=("one",))
    assert make_config(adapter.name, labels=("one", "two")[: adapter.least_labels])


def test_what_an_adapter_names_is_there(adapter: TaskAdapter):
    """Its scorer and its baselines exist, and the source's columns are its own columns."""
    assert adapter.scorer in SCORERS
    assert set(adapter.baselines) <= set(BASELINES)
    assert list(adapter.source_columns(SourceConfig(address="a.csv"))) == adapter.columns().names


def test_input_and_truth_have_names_that_all_know(adapter: TaskAdapter):
    """Slices, pictures and the command line read the input and the truth by their names."""
    given, truth, *_ = adapter.columns().names
    assert given in ("text", "tokens")
    assert truth in ("label", "tags")


def test_good_rows_pass_the_checks(adapter: TaskAdapter, case: Case):
    """Every check is of something that is measured, a value a row."""
    rows = _rows(adapter, case.inputs, case.truth)
    columns = {name: rows[name].combine_chunks() for name in rows.column_names}
    measures = adapter.measure(adapter.rename(columns, {}))
    assert {check.measure for check in adapter.checks} == set(measures)
    assert {len(values) for values in measures.values()} == {rows.num_rows}


def test_labels_are_listed_by_row(adapter: TaskAdapter, case: Case):
    """Each label of the agent that stands in a row is listed with that row."""
    listed = adapter.labels_of(_rows(adapter, case.inputs, case.truth))
    assert set(listed["label"].to_pylist()) <= set(adapter.config.labels)
    assert set(listed["row"].to_pylist()) == set(range(len(case.inputs)))


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
    """Windows have ENCODED_SCHEMA, fit `max_length`, and count rows from where they are told to."""
    rows = _rows(adapter, [*case.inputs, case.long], None)
    encoding = adapter.encode(rows, tokenizer, first_row=7)
    assert encoding.windows.schema == ENCODED_SCHEMA
    assert encoding.windows["row"].to_pylist()[:3] == [7, 8, 9]
    assert max(len(ids) for ids in encoding.windows["input_ids"].to_pylist()) <= adapter.config.max_length
    assert encoding.unusable == {}


def test_a_long_row_becomes_overlapping_windows(
    adapter: TaskAdapter, case: Case, tokenizer: PreTrainedTokenizerBase
):
    """40 sub-words in windows of 14 that share 4 make 4 windows."""
    windows = adapter.encode(_rows(adapter, [case.long]), tokenizer).windows
    assert windows["row"].to_pylist() == [0] * 4


def test_rows_without_labels_are_ignored_by_the_loss(
    adapter: TaskAdapter, case: Case, tokenizer: PreTrainedTokenizerBase
):
    """Labels are IGNORED where no truth is given, and a batch of them has a loss of zero, not nan."""
    windows = adapter.encode(_rows(adapter, case.inputs), tokenizer).windows
    labels = torch.tensor(windows["labels"].to_pylist()[:1])
    assert (labels == IGNORED).all()
    logits = torch.from_numpy(np.stack(_logits(adapter, windows)[:1])).requires_grad_()
    loss = adapter.loss(logits, labels)
    loss.backward()
    assert loss.item() == 0
    assert logits.grad is not None
    assert (logits.grad == 0).all()


def test_the_loss_is_lower_for_right_answers(
    adapter: TaskAdapter, case: Case, tokenizer: PreTrainedTokenizerBase
):
    """Logits that say the truth lose less than random ones, and next to nothing."""
    windows = adapter.encode(_rows(adapter, case.inputs, case.truth), tokenizer).windows.slice(0, 1)
    labels = torch.tensor(windows["labels"].to_pylist())
    right = adapter.loss(torch.tensor(np.stack(_right_logits(adapter, windows))), labels)
    other = adapter.loss(torch.tensor(np.stack(_logits(adapter, windows))), labels)
    assert right.item() < 0.01 < other.item()


def test_right_logits_decode_to_the_truth(
    adapter: TaskAdapter, case: Case, tokenizer: PreTrainedTokenizerBase
):
    """Encoding and decoding are inverse: loud labels come back as the rows' truth, and score 1."""
    rows = _rows(adapter, case.inputs, case.truth)
    windows = adapter.encode(rows, tokenizer).windows
    predictions = adapter.decode(_right_logits(adapter, windows), windows, rows)
    assert predictions[adapter.columns().names[1]].to_pylist() == case.truth
    assert adapter.metrics(rows, predictions)[adapter.primary_metric] == 1
    outcomes = adapter.outcomes(rows, predictions)
    assert outcomes.exact.all()
    assert (outcomes.counts[:, 1:] == 0).all()


def test_decode_answers_every_row_in_order(
    adapter: TaskAdapter, case: Case, tokenizer: PreTrainedTokenizerBase
):
    """Long, usable and unusable rows each get one answer, and a row's answer is the same among others."""
    rows = _rows(adapter, [case.lost, *case.inputs, case.long])
    encoding = adapter.encode(rows, tokenizer)
    logits = _logits(adapter, encoding.windows)
    predictions = adapter.decode(logits, encoding.windows, rows)
    assert predictions.num_rows == rows.num_rows
    confidence = predictions["confidence"].to_numpy()
    assert ((confidence > 0) & (confidence <= 1)).all()
    alone = adapter.encode(rows.slice(2, 1), tokenizer).windows
    assert adapter.decode(logits[1:2], alone, rows.slice(2, 1)).equals(predictions.slice(2, 1))


def test_lost_rows_are_counted_and_answered(
    adapter: TaskAdapter, case: Case, tokenizer: PreTrainedTokenizerBase
):
    """A row that leaves no sub-word makes no window, is counted, and gets the first output."""
    rows = _rows(adapter, [case.lost])
    encoding = adapter.encode(rows, tokenizer)
    assert encoding.windows.num_rows == 0
    assert sum(encoding.unusable.values()) >= 1
    answer = adapter.decode([], encoding.windows, rows)[adapter.columns().names[1]][0].as_py()
    assert set(np.atleast_1d(answer)) == {adapter.outputs[0]}


def test_an_empty_batch_passes_through(adapter: TaskAdapter, tokenizer: PreTrainedTokenizerBase):
    """No rows make no windows, no predictions and no outcomes."""
    rows = _rows(adapter, [], [])
    encoding = adapter.encode(rows, tokenizer)
    assert (encoding.windows.num_rows, encoding.unusable) == (0, {})
    predictions = adapter.decode([], encoding.windows, rows)
    assert predictions.num_rows == 0
    assert adapter.outcomes(rows, predictions).counts.shape == (0, 3)


def test_no_rows_have_no_score(adapter: TaskAdapter, tokenizer: PreTrainedTokenizerBase):
    """A score is never invented for an empty set of rows."""
    rows = _rows(adapter, [], [])
    predictions = adapter.decode([], adapter.encode(rows, tokenizer).windows, rows)
    with pytest.raises(DataError, match="no rows to score"):
        adapter.metrics(rows, predictions)


def test_a_bad_label_is_named(adapter: TaskAdapter, case: Case, tokenizer: PreTrainedTokenizerBase):
    """A label that the config lacks is an error that says which, how often and what to do."""
    truth = [*case.truth[:-1], case.bad]
    name = case.bad if isinstance(case.bad, str) else case.bad[0]
    with pytest.raises(DataError, match=f"'{name}' is not .* to `labels`, or rename it"):
        adapter.encode(_rows(adapter, case.inputs, truth), tokenizer)


def test_rows_without_truth_have_no_outcomes(
    adapter: TaskAdapter, case: Case, tokenizer: PreTrainedTokenizerBase
):
    """Scoring against nothing is an error."""
    rows = _rows(adapter, case.inputs)
    windows = adapter.encode(rows, tokenizer).windows
    predictions = adapter.decode(_logits(adapter, windows), windows, rows)
    with pytest.raises(DataError, match="rows are scored against one"):
        adapter.outcomes(rows, predictions)


def test_predictions_of_other_rows_are_refused(adapter: TaskAdapter, case: Case):
    """Rows and predictions that do not match in number are not compared."""
    rows = _rows(adapter, case.inputs, case.truth)
    predictions = _rows(adapter, case.inputs, case.truth).select(adapter.columns().names[1:]).slice(1)
    with pytest.raises(DataError, match="that were predicted"):
        adapter.outcomes(rows, predictions)
