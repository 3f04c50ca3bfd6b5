"""From rows to predictions with a stored model; scoring of windows as training and evaluation use it too."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeAlias

import numpy as np
import pyarrow as pa
import torch

from models.adapters import TaskAdapter, get_adapter
from models.errors import DataError, TrainingError
from models.kernels import fast_linears
from models.ragged import Ragged
from models.task_model import SavedAgent, TaskModel, load

Rows: TypeAlias = pa.Table | Sequence[str] | Sequence[Sequence[str]]
_ROWS_AT_ONCE = 4096
_TOKENS_AT_ONCE = 4096
"""Sub-words in a batch at most, since larger ones take memory and are no faster on a CPU."""


@dataclass(frozen=True)
class Predictor:
    """A loaded agent that answers.

    Args:
        agent: Model, tokenizer and description.
        adapter: The agent's task adapter.
    """

    agent: SavedAgent
    adapter: TaskAdapter

    @classmethod
    def load(cls, folder: Path, device: str = "cpu") -> Self:
        """Load a stored model folder.

        Raises:
            ArtifactError: The folder is not a usable model.
        """
        agent = load(folder)
        agent.model.to(device)
        return cls(agent, get_adapter(agent.config))

    def predict(self, rows: Rows) -> pa.Table:
        """Predict rows in blocks, so that memory does not grow with the logits of all of them.

        Args:
            rows: A table with the adapter's column, texts, or lists of tokens; where tokens are asked
                for, a plain string is split at white space.

        Returns:
            The adapter's prediction columns, one line a row, in order.

        Raises:
            DataError: The rows are not what the adapter takes.
        """
        table = as_table(rows, self.adapter)
        blocks = [
            self._predict_block(table.slice(first, _ROWS_AT_ONCE))
            for first in range(0, max(table.num_rows, 1), _ROWS_AT_ONCE)
        ]
        return pa.concat_tables(blocks)

    def _predict_block(self, rows: pa.Table) -> pa.Table:
        windows = self.adapter.encode(rows, self.agent.tokenizer).windows
        budget = self.agent.config.tokens_per_batch
        logits = predict_windows(self.agent.model, windows, pad_id(self.agent), budget)
        return self.adapter.decode(logits, windows, rows)


def pad_id(agent: SavedAgent) -> int:
    """Give the id that pads a batch of this agent's windows."""
    return int(agent.tokenizer.pad_token_id or 0)


def as_table(rows: Rows, adapter: TaskAdapter) -> pa.Table:
    """Give the adapter's input column as a table without labels, whatever form the rows came in.

    Raises:
        DataError: The column is missing or an input is of the wrong type.
    """
    field = adapter.columns().field(0)
    if isinstance(rows, pa.Table):
        if field.name not in rows.column_names:
            raise DataError(
                f"The rows have columns {', '.join(rows.column_names)}; {field.name!r} is needed."
            )
        values = rows[field.name]
    elif isinstance(rows, str):
        raise DataError(
            f"One string was given ({rows[:40]!r}); give a list of rows, such as [{rows[:40]!r}]."
        )
    else:
        values = rows
        if pa.types.is_list(field.type):
            values = [row.split() if isinstance(row, str) else row for row in rows]
    try:
        if isinstance(values, pa.ChunkedArray):
            return pa.table({field.name: values.cast(field.type)})
        return pa.table({field.name: pa.array(values, field.type)})
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, UnicodeEncodeError) as error:
        raise DataError(f"The rows do not read as {field.type} for {field.name!r}: {error}") from error


def predict_windows(
    model: TaskModel, windows: pa.Table, pad_id: int, tokens_per_batch: int, parts: int = 1
) -> list[np.ndarray]:
    """Score windows on the model's device, in batches of like length under a budget.

    Args:
        model: Put into evaluation mode for the call and back after it.
        windows: Windows in ENCODED_SCHEMA.
        pad_id: Fills up shorter windows.
        tokens_per_batch: Most sub-words in a batch, padding included, and no more than 4,096; a longer
            window is a batch alone.
        parts: Divides that budget, to spare memory.

    Returns:
        float32 logits of each window in the order of `windows`: (outputs,), or (length, outputs).

    Raises:
        TrainingError: A score is not finite, so no answer may be read from it.
    """
    ids = Ragged.from_column(windows["input_ids"])
    budget = min(tokens_per_batch, _TOKENS_AT_ONCE) // parts
    scored: list[np.ndarray] = [np.empty(0, np.float32)] * windows.num_rows
    was_training = model.training
    model.eval()
    try:
        with fast_linears(model):
            for batch in _batches(ids.lengths, budget):
                for index, logits in zip(batch, _score(model, ids, batch, pad_id), strict=True):
                    scored[index] = logits if model.pools else logits[: ids.lengths[index]]
    finally:
        model.train(was_training)
    return scored


def _batches(lengths: np.ndarray, budget: int) -> Iterator[np.ndarray]:
    order = np.argsort(-lengths, kind="stable")
    first = 0
    while first < len(order):
        size = max(1, budget // max(1, int(lengths[order[first]])))
        yield order[first : first + size]
        first += size


@torch.inference_mode()
def _score(model: TaskModel, ids: Ragged, batch: np.ndarray, pad_id: int) -> np.ndarray:
    device = next(model.parameters()).device
    lengths = torch.from_numpy(ids.lengths[batch])
    input_ids = torch.from_numpy(ids.padded(batch, pad_id))
    mask = None
    if int(lengths.min()) < input_ids.shape[1]:
        mask = (torch.arange(input_ids.shape[1]) < lengths[:, None]).long().to(device)
    logits: np.ndarray = model(input_ids.to(device), mask).float().cpu().numpy()
    if not np.isfinite(logits).all():
        raise TrainingError(
            f"The model's scores of {len(batch)} windows hold values that are not finite: its training "
            "diverged. Lower learning_rate or max_grad_norm and train again."
        )
    return logits
