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
from models.schemas.base import Description
from models.schemas.families import Family

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
class Shape:
    """What an adapter asks of its network.

    Args:
        outputs: Size of the head; 0 where the pretrained model's own head writes.
        pools: Whether a window has one score vector (else one a sub-word).
        marks: Marked sub-words of a window whose states are read instead of the mean; 0 for none.
        constant: An output that starts without weights, so that it scores all windows alike; None for none.
    """

    outputs: int
    pools: bool
    marks: int = 0
    constant: int | None = None


@dataclass(frozen=True)
class Answers:
    """What a network answered.

    Args:
        values: One array a window: scores, (outputs,) if the adapter pools, else (length, outputs); or
            (2, written), the ids of the sub-words that were written and their log-probabilities.
        windows: The windows in the adapter's schema, `row` counting from 0 in the rows that were encoded.
        tokenizer: What cut them.
    """

    values: Sequence[np.ndarray]
    windows: pa.Table
    tokenizer: "PreTrainedTokenizerBase"


@dataclass(frozen=True)
class Outcomes:
    """What the gate compares, one line a row.

    Args:
        counts: (rows, 3) true positives, false positives and false negatives. For accuracy a right answer
            is (1, 0, 0) and a wrong one (0, 1, 1), so micro F1 equals accuracy; for a score s in 0-1 a row
            is (s, 1 - s, 1 - s), so micro F1 equals the mean score.
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
    family: ClassVar[Family] = "encoder"
    """What kind of pretrained model it works with."""
    pools: ClassVar[bool]
    """True: one score vector a window; False: one a sub-word, or none."""
    marks: ClassVar[int] = 0
    """Marked sub-words of a window, whose places its `words` give."""
    reads_words: ClassVar[bool] = False
    """Whether the tokenizer is handed words."""
    together: ClassVar[bool] = False
    """Whether the windows of a row are needed in one batch."""
    windows: ClassVar[pa.Schema] = ENCODED_SCHEMA
    """ENCODED_SCHEMA, and after it what `decode` needs besides."""
    checks: ClassVar[tuple[Check, ...]]
    """What must hold of what `measure` gives, in the order in which reasons are told."""
    softmax: ClassVar[bool] = False
    """Whether the scores at each label are those of one softmax over `outputs`, whose truth the label is."""
    perturbed: ClassVar[str | None] = None
    """The column whose words may change a little without changing the truth; None if each may matter."""
    scorer: ClassVar[str]
    """A key of `models.metrics.SCORERS`."""
    baselines: ClassVar[tuple[str, ...]]
    """Keys of `models.baselines.BASELINES`."""
    settings: ClassVar[tuple[type[Description], ...]] = ()
    """Groups of an agent's fields that have an effect on few task types, on this one among them."""
    rewrites: ClassVar[str | None] = None
    """The column of texts that may be rewritten without changing the truth; None where there is none."""
    least_labels: ClassVar[int | None] = 1
    """An agent's description with fewer labels is refused; None refuses labels, since there are none."""
    knows_scope: ClassVar[bool] = False
    """Whether one of the labels may stand for rows that are none of the others."""
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
        """Give the adapter's own columns in rows.parquet, strings and lists of strings."""

    @classmethod
    def inputs(cls) -> pa.Schema:
        """Give those of the columns that are there when rows are predicted; by default the first."""
        return pa.schema([cls.columns().field(0)])

    @classmethod
    def truth(cls) -> str:
        """Name the column that holds the answer; by default the first that is no input."""
        names: list[str] = [name for name in cls.columns().names if name not in cls.inputs().names]
        return names[0]

    @classmethod
    def source_columns(cls, source: SourceConfig) -> dict[str, str]:
        """Name the source's column of each of the adapter's own: what `columns` says, else the same name."""
        return {name: source.columns.get(name, name) for name in cls.columns().names}

    @property
    def curve_metric(self) -> str:
        """Name what training looks at on validation rows."""
        return self.primary_metric if self.family == "encoder" else "likelihood"

    @property
    def longest(self) -> int:
        """Count the sub-words of the longest window that the network is shown."""
        return self.config.max_length

    @property
    def shape(self) -> Shape:
        """Say what the network must give."""
        return Shape(len(self.outputs), self.pools, self.marks)

    @classmethod
    def guess(cls, sample: Sample) -> Guess | None:  # noqa: ARG003 - by default nothing is seen in it
        """Say which columns of a file could be the adapter's, None if it does not look like that.

        Raises:
            DataError: It looks like that, but a column is not there.
        """
        return None

    @classmethod
    def rename(cls, columns: Mapping[str, pa.Array], renames: Mapping[str, str]) -> dict[str, pa.Array]:
        """Rename the labels in the adapter's own columns; `label` comes out as a dictionary array."""
        del renames
        return dict(columns)

    @abstractmethod
    def measure(self, columns: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
        """Give what `checks` look at, (rows,) each, from the adapter's own columns."""

    @classmethod
    @abstractmethod
    def texts(cls, rows: pa.Table) -> pa.ChunkedArray:
        """Give each row as the text that stands for it: to be hashed, embedded, and read by a person."""

    @classmethod
    def documents(cls, rows: pa.Table) -> pa.ChunkedArray | None:
        """Give the text of the document that each row is about, whose rows are held out together.

        None, as by default, means that each row stands for itself.
        """
        del rows
        return None

    @classmethod
    def labels_of(cls, rows: pa.Table) -> pa.Table:
        """List the labels of rows or predictions: `row` (counting from 0) and `label`, a line each."""
        del rows
        return pa.table({"row": pa.array([], pa.int64()), "label": pa.array([], pa.string())})

    @abstractmethod
    def encode(self, rows: pa.Table, tokenizer: "PreTrainedTokenizerBase", first_row: int = 0) -> Encoding:
        """Tokenize rows into windows; `row` counts from `first_row`. Rows without labels get IGNORED."""

    def untaught(self, windows: pa.Table) -> tuple[str, ...]:
        """Name the labels that no window teaches, which no training can learn; by default all are taught."""
        del windows
        return ()

    @abstractmethod
    def loss(self, scores: "Tensor", labels: "Tensor") -> "Tensor":
        """Mean loss of a batch.

        Args:
            scores: (windows, outputs) or (windows, length, outputs); for networks that write,
                (sub-words to write, vocabulary).
            labels: (windows, longest), IGNORED where there is none.
        """

    @property
    def shifts(self) -> bool:
        """Whether scores are shifted once training is over; by default not."""
        return False

    def shift(self, answers: Answers, rows: pa.Table) -> np.ndarray:
        """Say what to add to each output's score once training is over, where `shifts`.

        Args:
            answers: What the trained network gave for the windows of the validation rows.
            rows: The validation rows.

        Returns:
            (outputs,), stored with the head.
        """
        del answers, rows
        return np.zeros(len(self.outputs))

    @abstractmethod
    def decode(self, answers: Answers, rows: pa.Table) -> pa.Table:
        """Join the windows' answers into one prediction a row of `rows`, in its order.

        Args:
            answers: What the network gave for the windows of `rows`.
            rows: The rows that were encoded.

        Returns:
            The truth's column as predicted, `confidence` (float64, 0-1), and what else the adapter knows.
            Text: `probabilities` (list<float64> in `outputs` order). Tags: `tags` valid in IOB2 and as long
            as `tokens`, `confidence` the lowest of the row, `confidences` (list<float64>, one a token).
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
