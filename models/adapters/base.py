"""What every task adapter does; one subclass a file, listed in `models/adapters/__init__.py`.

An adapter says what its rows are and which of them are good, turns rows into windows of sub-words and
scores of windows back into one prediction a row, and says how good it is. It holds no weights: those are
in `models/task_model.py`.

Descriptions of agents are checked against the adapters, so importing one must be quick: what is heavy
(torch, transformers, scikit-learn) is imported where it is used.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa

from models.adapters.rows import Check, Guess, Sample
from models.schemas import AgentConfig, SourceConfig

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedTokenizerBase

IGNORED = -100

ENCODED_SCHEMA = pa.schema(
    [
        ("row", pa.int64()),
        ("input_ids", pa.list_(pa.int32())),
        ("labels", pa.list_(pa.int32())),
        ("words", pa.list_(pa.int32())),
    ]
)


@dataclass(frozen=True)
class Encoding:
    """Windows in ENCODED_SCHEMA, and how many rows could not be used, by reason."""

    windows: pa.Table
    unusable: dict[str, int]


@dataclass(frozen=True)
class Outcomes:
    """What the gate compares, one line a row.

    Args:
        counts: (rows, 3) int64 of true positives, false positives and false negatives. For accuracy a
            right answer is (1, 0, 0) and a wrong one (0, 1, 1), so micro F1 equals accuracy.
        exact: (rows,) bool, True where the whole row is right.
    """

    counts: np.ndarray
    exact: np.ndarray


class TaskAdapter(ABC):
    """The contract of an NLP task type.

    Args:
        config: The agent; `labels`, `max_length` and `stride` are used.
    """

    name: ClassVar[str]
    primary_metric: ClassVar[str]
    pools: ClassVar[bool]
    """True: one score vector a window (mean-pooled); False: one a sub-word."""
    checks: ClassVar[tuple[Check, ...]]
    """What must hold of what `measure` gives, in the order in which reasons are told."""
    scorer: ClassVar[str]
    """A key of `models.metrics.SCORERS`."""
    baselines: ClassVar[tuple[str, ...]]
    """Keys of `models.baselines.BASELINES`."""
    least_labels: ClassVar[int] = 1
    """An agent's description with fewer labels is refused."""
    label_word: ClassVar[str] = "label"
    """What a person calls one of the labels."""

    def __init__(self, config: AgentConfig) -> None:
        self.config = config

    @property
    @abstractmethod
    def outputs(self) -> tuple[str, ...]:
        """Name the head's outputs in order: classes, or O and the B-/I- tags."""

    @classmethod
    @abstractmethod
    def columns(cls) -> pa.Schema:
        """Give the adapter's own columns in rows.parquet: the input, the truth, then any others.

        The input is called `text` or `tokens`, the truth `label` or `tags`: slices, pictures and the
        command line read them by these names. Only the input is there when rows are predicted.
        """

    @classmethod
    @abstractmethod
    def source_columns(cls, source: SourceConfig) -> dict[str, str]:
        """Name the source's column of each of the adapter's own columns."""

    @classmethod
    def guess(cls, sample: Sample) -> Guess | None:  # noqa: ARG003 - by default nothing is seen in it
        """Say which columns of a file could be the adapter's, None if it does not look like that.

        Raises:
            DataError: It looks like that, but a column is not there.
        """
        return None

    @classmethod
    @abstractmethod
    def rename(cls, columns: Mapping[str, pa.Array], renames: Mapping[str, str]) -> dict[str, pa.Array]:
        """Rename the labels in the adapter's own columns; `label` comes out as a dictionary array."""

    @abstractmethod
    def measure(self, columns: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
        """Give what `checks` look at, (rows,) each, from the adapter's own columns."""

    @classmethod
    @abstractmethod
    def texts(cls, rows: pa.Table) -> pa.ChunkedArray:
        """Give each row as the text that stands for it: to be hashed, embedded, and read by a person."""

    @classmethod
    @abstractmethod
    def labels_of(cls, rows: pa.Table) -> pa.Table:
        """List the labels of rows or predictions: `row` (counting from 0) and `label`, a line each."""

    @abstractmethod
    def encode(self, rows: pa.Table, tokenizer: "PreTrainedTokenizerBase", first_row: int = 0) -> Encoding:
        """Tokenize rows into windows; `row` counts from `first_row`. Rows without labels get IGNORED."""

    @abstractmethod
    def loss(self, logits: "Tensor", labels: "Tensor") -> "Tensor":
        """Mean loss of a batch: logits (windows, outputs) or (windows, length, outputs); labels alike."""

    @abstractmethod
    def decode(self, logits: Sequence[np.ndarray], windows: pa.Table, rows: pa.Table) -> pa.Table:
        """Join the windows' logits into one prediction a row of `rows`, in its order.

        Args:
            logits: One array a window: (outputs,) if `pools`, else (length, outputs).
            windows: The windows in ENCODED_SCHEMA, `row` counting from 0 in `rows`.
            rows: The rows that were encoded.

        Returns:
            Text: `label` (string), `confidence` (float64), `probabilities` (list<float64> in `outputs`
            order). Tags: `tags` (list<string>, valid IOB2, as long as `tokens`), `confidence`
            (float64, lowest of the row), `confidences` (list<float64>, one a token).
        """

    @abstractmethod
    def outcomes(self, rows: pa.Table, predictions: pa.Table) -> Outcomes:
        """Compare predictions with the rows' truth, row by row."""

    @abstractmethod
    def metrics(self, rows: pa.Table, predictions: pa.Table) -> dict[str, float]:
        """Score predictions, `primary_metric` among the keys (fractions, 0-1)."""

    @abstractmethod
    def show(self, rows: pa.Table, predictions: pa.Table) -> pa.Table:
        """Turn predictions of `rows` into the columns that a user of a registered model sees."""


def pad(sequences: Sequence[np.ndarray], value: int) -> "Tensor":
    """Stack int arrays of shape (length,) into one LongTensor (len(sequences), longest)."""
    import torch

    longest = max(len(s) for s in sequences)
    out = np.full((len(sequences), longest), value, dtype=np.int64)
    for line, sequence in zip(out, sequences, strict=True):
        line[: len(sequence)] = sequence
    return torch.from_numpy(out)
