"""The windows a training reads, checked, and the score on the validation rows."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from transformers import PreTrainedTokenizerBase

from models.adapters import Answers, TaskAdapter, get_adapter
from models.errors import DataError, TrainingError
from models.likelihood import surprise
from models.networks import Network
from models.predictor import predict_windows
from models.preprocess import read_windows
from models.training.job import TrainJob

_WINDOWS_AT_ONCE = 1024


@dataclass(frozen=True)
class TrainingData:
    """What a training reads.

    Args:
        train: Windows to train on.
        validation: Windows to score, `row` counting from 0 in `rows`.
        rows: The validation rows.
    """

    train: pa.Table
    validation: pa.Table
    rows: pa.Table


def load_data(job: TrainJob, adapter: TaskAdapter) -> TrainingData:
    """Map the windows into memory and read the validation rows.

    Raises:
        DataError: A split is empty, or a label has no training row.
        ArtifactError: The encoded windows are missing.
    """
    folder = Path(job.encoded.address)
    tables = {split: read_windows(folder, split) for split in ("train", "validation")}
    for split, table in tables.items():
        if table.num_rows == 0:
            raise DataError(
                f"The {split} split has 0 usable rows; at least 1 is needed. Add rows, or change "
                "validation_share and test_share."
            )
    _check_labels(tables["train"], adapter)
    positions = _positions(job.rows, "validation")
    rows = pq.read_table(
        job.rows, columns=["split", *adapter.columns().names], filters=[("split", "=", "validation")]
    ).drop_columns("split")
    place = np.searchsorted(positions, tables["validation"]["row"].to_numpy())
    validation = tables["validation"].set_column(0, "row", pa.array(place, pa.int64()))
    return TrainingData(tables["train"], validation, rows)


def _positions(rows: str, split: str) -> np.ndarray:
    """Give the places of a split's rows among all rows, compared batch by batch in Arrow."""
    batches = pq.ParquetFile(rows).iter_batches(columns=["split"])
    return np.flatnonzero(np.concatenate([pc.equal(one["split"], split).to_numpy(False) for one in batches]))


def score(
    model: Network,
    tokenizer: PreTrainedTokenizerBase,
    job: TrainJob,
    data: TrainingData,
    alive: Callable[[], None],
) -> float:
    """Score the validation rows (fraction, 0-1); `alive` is called often.

    By the adapter's primary metric; where a network writes, by the mean likelihood of the true sub-words,
    1 / perplexity, since writing takes many times as long.

    Raises:
        TrainingError: The score is not a number.
    """
    adapter, pad_id = get_adapter(job.config), int(tokenizer.pad_token_id or 0)
    if model.writes:
        nats, targets = surprise(
            model, data.validation, pad_id, job.config.tokens_per_batch // job.parts
        ).sum(axis=0)
        return float(np.exp(-nats / max(1.0, targets)))
    answers = answer(model, tokenizer, job, data, alive)
    predictions = adapter.decode(answers, data.rows)
    value = adapter.metrics(data.rows, predictions)[adapter.primary_metric]
    if not np.isfinite(value):
        raise TrainingError(
            f"Validation {adapter.primary_metric} is {value} on {data.rows.num_rows} rows, not a number. "
            "Check that the validation rows hold labels."
        )
    return float(value)


def answer(
    model: Network,
    tokenizer: PreTrainedTokenizerBase,
    job: TrainJob,
    data: TrainingData,
    alive: Callable[[], None],
) -> Answers:
    """Have a network answer the validation windows; `alive` is called often."""
    pad_id = int(tokenizer.pad_token_id or 0)
    answers: list[np.ndarray] = []
    for first in range(0, data.validation.num_rows, _WINDOWS_AT_ONCE):
        block = data.validation.slice(first, _WINDOWS_AT_ONCE)
        answers += predict_windows(model, block, pad_id, job.config.tokens_per_batch, job.parts)
        alive()
    return Answers(answers, data.validation, tokenizer)


def _check_labels(train: pa.Table, adapter: TaskAdapter) -> None:
    absent = adapter.untaught(train)
    if absent:
        names = ", ".join(map(repr, absent))
        raise DataError(
            f"{names} of the agent's labels has 0 training rows; each label needs at least 1. Add rows "
            "with it, or drop it from labels."
        )
