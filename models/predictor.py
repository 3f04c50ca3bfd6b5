"""From rows to predictions with a stored model; scoring of windows as training and evaluation use it too."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeAlias

import numpy as np
import pyarrow as pa
import torch

from models.adapters import Answers, TaskAdapter, get_adapter
from models.errors import DataError, TrainingError
from models.kernels import fast_linears
from models.likelihood import surprise
from models.networks import Network
from models.task_model import SavedAgent, load
from models.window_reader import Layout, WindowReader

Rows: TypeAlias = pa.Table | Sequence[str] | Sequence[Sequence[str]] | Sequence[Mapping[str, Any]]
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
            rows: A table with the adapter's inputs, texts, lists of tokens, or mappings where there are
                several inputs; where tokens are asked for, a plain string is split at white space.

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

    def predict_labelled(self, rows: pa.Table) -> pa.Table:
        """Predict rows whose truth is known, and say how likely it is where a network writes.

        Args:
            rows: The adapter's columns.

        Returns:
            The adapter's prediction columns; `nll` (float64, nats) and `targets` (float64, sub-words) of the
            truth besides, where the network writes.
        """
        predictions = self.predict(rows)
        if not self.agent.model.writes:
            return predictions
        parts = [
            self._surprise(rows.slice(first, _ROWS_AT_ONCE))
            for first in range(0, max(rows.num_rows, 1), _ROWS_AT_ONCE)
        ]
        nats, targets = np.concatenate(parts).T
        return predictions.append_column("nll", pa.array(nats)).append_column("targets", pa.array(targets))

    def _surprise(self, rows: pa.Table) -> np.ndarray:
        windows = self.adapter.encode(rows, self.agent.tokenizer).windows
        return surprise(self.agent.model, windows, pad_id(self.agent), self.agent.config.tokens_per_batch)

    def _predict_block(self, rows: pa.Table) -> pa.Table:
        windows = self.adapter.encode(rows, self.agent.tokenizer).windows
        budget = self.agent.config.tokens_per_batch
        values = predict_windows(self.agent.model, windows, pad_id(self.agent), budget)
        return self.adapter.decode(Answers(values, windows, self.agent.tokenizer), rows)


def pad_id(agent: SavedAgent) -> int:
    """Give the id that pads a batch of this agent's windows."""
    return int(agent.tokenizer.pad_token_id or 0)


def as_table(rows: Rows, adapter: TaskAdapter) -> pa.Table:
    """Give the adapter's input columns as a table without labels, whatever form the rows came in.

    Raises:
        DataError: A column is missing or an input is of the wrong type.
    """
    schema = adapter.inputs()
    if isinstance(rows, str):
        raise DataError(
            f"One string was given ({rows[:40]!r}); give a list of rows, such as [{rows[:40]!r}]."
        )
    columns = _columns(rows, schema, split=adapter.reads_words)
    return pa.table([_typed(columns[field.name], field) for field in schema], schema=schema)


def _columns(rows: Rows, schema: pa.Schema, *, split: bool) -> Mapping[str, Any]:
    """Give each input's values, by its name."""
    if isinstance(rows, pa.Table):
        missing = [name for name in schema.names if name not in rows.column_names]
        if missing:
            raise DataError(
                f"The rows have columns {', '.join(rows.column_names)}; {missing[0]!r} is needed."
            )
        return {name: rows[name] for name in schema.names}
    given: list[Any] = list(rows)
    if len(schema) == 1 and not any(isinstance(row, Mapping) for row in given):
        return {schema.names[0]: [r.split() if split and isinstance(r, str) else r for r in given]}
    for number, row in enumerate(given):
        missing = [n for n in schema.names if not isinstance(row, Mapping) or n not in row]
        if missing:
            wanted = ", ".join(schema.names)
            raise DataError(
                f"Row {number} lacks {missing[0]!r}: {repr(row)[:80]}. A row is a mapping with {wanted}."
            )
    return {name: [row[name] for row in given] for name in schema.names}


def _typed(values: Any, field: pa.Field) -> pa.ChunkedArray | pa.Array:  # noqa: ANN401 - checked here
    try:
        if isinstance(values, pa.ChunkedArray):
            return values.cast(field.type)
        # The places of words are whole numbers, and strings in every source.
        return pa.array(values).cast(field.type) if _are_numbers(values) else pa.array(values, field.type)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, UnicodeEncodeError) as error:
        raise DataError(f"The rows do not read as {field.type} for {field.name!r}: {error}") from error


def _are_numbers(values: Sequence[Any]) -> bool:
    first = next((value for value in values if isinstance(value, list | tuple) and value), ())
    return any(isinstance(item, int) and not isinstance(item, bool) for item in first)


def predict_windows(
    model: Network, windows: pa.Table, pad_id: int, tokens_per_batch: int, parts: int = 1
) -> list[np.ndarray]:
    """Have a network answer windows on its device, in batches of like length under a budget.

    Args:
        model: Put into evaluation mode for the call and back after it.
        windows: Windows in the adapter's schema.
        pad_id: Fills up shorter windows.
        tokens_per_batch: Most sub-words in a batch, padding included, and no more than 4,096; a longer
            window is a batch alone.
        parts: Divides that budget, to spare memory.

    Returns:
        The answer of each window in the order of `windows`, as `Network.answers` gives them.

    Raises:
        TrainingError: A score is not finite, so no answer may be read from it.
    """
    reader = WindowReader.of(windows, pad_id, Layout("marks" in model.wants, left=model.pads_left))
    budget = min(tokens_per_batch, _TOKENS_AT_ONCE) // parts
    answered: list[np.ndarray] = [np.empty(0, np.float32)] * windows.num_rows
    was_training = model.training
    model.eval()
    try:
        with fast_linears(model):
            for batch in _batches(reader.lengths, budget):
                for index, answer in zip(batch, _answer(model, reader, batch), strict=True):
                    answered[index] = answer
    finally:
        model.train(was_training)
    return answered


def _batches(lengths: np.ndarray, budget: int) -> Iterator[np.ndarray]:
    order = np.argsort(-lengths, kind="stable")
    first = 0
    while first < len(order):
        size = max(1, budget // max(1, int(lengths[order[first]])))
        yield order[first : first + size]
        first += size


@torch.inference_mode()
def _answer(model: Network, reader: WindowReader, batch: np.ndarray) -> list[np.ndarray]:
    device = next(model.parameters()).device
    inputs = {name: torch.from_numpy(one).to(device) for name, one in reader.padded(batch).items()}
    answers = model.answers(inputs, reader.lengths[batch])
    if not model.writes and not all(np.isfinite(one).all() for one in answers):
        raise TrainingError(
            f"The model's scores of {len(batch)} windows hold values that are not finite: its training "
            "diverged. Lower learning_rate or max_grad_norm and train again."
        )
    return answers
