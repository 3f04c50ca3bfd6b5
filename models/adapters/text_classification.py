"""One label for a whole text, such as the sentiment of a sentence."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.adapters.base import ENCODED_SCHEMA, IGNORED, Answers, Encoding, Outcomes, TaskAdapter
from models.adapters.guesses import text_and_label
from models.adapters.label_column import map_labels, measure_texts
from models.adapters.rows import ENCODING, Check, Guess, Rule, Sample
from models.adapters.taught import count_outputs
from models.adapters.windows import cut_windows
from models.errors import DataError
from models.ragged import Ragged
from models.schemas import SourceConfig

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedTokenizerBase

PROBABILITY = "probability_"
"""A class's column is this and the class."""


class TextClassification(TaskAdapter):
    """Classify texts; the windows of a long one vote with the mean of their logits."""

    name: ClassVar[str] = "text_classification"
    primary_metric: ClassVar[str] = "accuracy"
    pools: ClassVar[bool] = True
    checks: ClassVar[tuple[Check, ...]] = (
        Check("text", Rule.SOME, "empty text"),
        Check("damaged", Rule.NONE, ENCODING),
        Check("label", Rule.KNOWN, "unknown label"),
    )
    softmax: ClassVar[bool] = True
    scorer: ClassVar[str] = "labels"
    baselines: ClassVar[tuple[str, ...]] = ("majority", "tfidf_logistic")
    least_labels: ClassVar[int | None] = 2

    @property
    def outputs(self) -> tuple[str, ...]:
        """Name the classes in the config's order."""
        return self.config.labels

    @classmethod
    def columns(cls) -> pa.Schema:
        """Give `text` and `label`."""
        return pa.schema([("text", pa.string()), ("label", pa.string())])

    @classmethod
    def source_columns(cls, source: SourceConfig) -> dict[str, str]:
        """Take `text_column` and `label_column`."""
        return {"text": source.text_column, "label": source.label_column}

    @classmethod
    def guess(cls, sample: Sample) -> Guess | None:
        """Look for a text and a label that repeats."""
        return text_and_label(sample)

    @classmethod
    def rename(cls, columns: Mapping[str, pa.Array], renames: Mapping[str, str]) -> dict[str, pa.Array]:
        """Rename labels; one that is empty counts as missing."""
        return {"text": columns["text"], "label": map_labels(columns["label"], renames)}

    def measure(self, columns: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
        """Measure the text; the label is looked at as it is."""
        return {**measure_texts(columns["text"]), "label": columns["label"]}

    @classmethod
    def texts(cls, rows: pa.Table) -> pa.ChunkedArray:
        """Give the texts as they are."""
        return rows["text"]

    @classmethod
    def labels_of(cls, rows: pa.Table) -> pa.Table:
        """List the one label of each row."""
        return pa.table({"row": pa.array(np.arange(rows.num_rows)), "label": rows["label"]})

    def encode(self, rows: pa.Table, tokenizer: "PreTrainedTokenizerBase", first_row: int = 0) -> Encoding:
        """Tokenize texts; one that leaves no sub-word gets no window and is counted."""
        labels = self._label_ids(rows)
        texts = pc.fill_null(rows["text"].combine_chunks(), "").to_pylist()
        windows = cut_windows(texts, tokenizer, self.config)
        usable = np.bincount(windows.ids.owners, windows.words >= 0, len(windows.rows)) > 0
        row = windows.rows[usable]
        table = pa.table(
            [
                pa.array(row + first_row, pa.int64()),
                windows.ids.keep(usable).to_arrow(pa.int32()),
                Ragged.from_lengths(labels[row], np.ones(len(row), np.int64)).to_arrow(pa.int32()),
                Ragged.from_lengths(labels[:0], np.zeros(len(row), np.int64)).to_arrow(pa.int32()),
            ],
            schema=ENCODED_SCHEMA,
        )
        lost = rows.num_rows - len(np.unique(row))
        return Encoding(table, {"text without sub-words": lost} if lost else {})

    def untaught(self, windows: pa.Table) -> tuple[str, ...]:
        """Name the classes without a window."""
        counts = count_outputs(windows, len(self.outputs))
        return tuple(name for name, count in zip(self.outputs, counts, strict=True) if not count)

    def loss(self, scores: "Tensor", labels: "Tensor") -> "Tensor":
        """Mean cross-entropy of scores (windows, outputs) and labels (windows, 1)."""
        import torch

        total = torch.nn.functional.cross_entropy(
            scores.float(), labels.flatten(), ignore_index=IGNORED, reduction="sum"
        )
        return total / (labels != IGNORED).sum().clamp(min=1)

    def decode(self, answers: Answers, rows: pa.Table) -> pa.Table:
        """Average the logits of each row's windows, then softmax; no window means equal chances."""
        from scipy.special import softmax

        scores = np.zeros((rows.num_rows, len(self.outputs)))
        if len(answers.values):
            row = answers.windows["row"].to_numpy()
            np.add.at(scores, row, np.stack(answers.values).astype(np.float64))
            scores /= np.maximum(np.bincount(row, minlength=rows.num_rows), 1)[:, None]
        probabilities = softmax(scores, axis=1)
        best = probabilities.argmax(axis=1)
        sizes = np.full(rows.num_rows, len(self.outputs))
        return pa.table(
            {
                "label": pa.array(self.outputs, pa.string()).take(pa.array(best, pa.int64())),
                "confidence": pa.array(probabilities.max(axis=1), pa.float64()),
                "probabilities": Ragged.from_lengths(probabilities.ravel(), sizes).to_arrow(pa.float64()),
            }
        )

    def outcomes(self, rows: pa.Table, predictions: pa.Table) -> Outcomes:
        """Count a right answer as (1, 0, 0), a wrong one or one that is none of the labels as (0, 1, 1)."""
        truth, predicted = self._pairs(rows, predictions)
        right = truth == predicted
        return Outcomes(np.stack([right, ~right, ~right], axis=1).astype(np.int64), right)

    def metrics(self, rows: pa.Table, predictions: pa.Table) -> dict[str, float]:
        """Score accuracy and macro F1 over those of the labels that are there or were predicted."""
        from sklearn.metrics import accuracy_score, f1_score

        truth, predicted = self._pairs(rows, predictions)
        if not len(truth):
            raise DataError("There are no rows to score; 1 is needed.")
        met = np.setdiff1d(np.union1d(truth, predicted), IGNORED)
        return {
            "accuracy": float(accuracy_score(truth, predicted)),
            "macro_f1": float(f1_score(truth, predicted, labels=met, average="macro", zero_division=0)),
        }

    def show(self, rows: pa.Table, predictions: pa.Table) -> pa.Table:  # noqa: ARG002 - a text is not shown again
        """Give `label`, `confidence` and `probability_<class>`."""
        flat = predictions["probabilities"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
        shares = flat.reshape(-1, len(self.outputs))
        columns = {f"{PROBABILITY}{name}": shares[:, i] for i, name in enumerate(self.outputs)}
        return pa.table({name: predictions[name] for name in ("label", "confidence")} | columns)

    def _pairs(self, rows: pa.Table, predictions: pa.Table) -> tuple[np.ndarray, np.ndarray]:
        if rows.num_rows != predictions.num_rows:
            raise DataError(
                f"{predictions.num_rows} predictions for {rows.num_rows} rows; score the rows that were "
                "predicted."
            )
        truth = self._label_ids(rows)
        if (truth == IGNORED).any():
            raise DataError(
                f"{(truth == IGNORED).sum()} rows have no label; rows are scored against one each."
            )
        # A model trained on an earlier label set may answer with a label that is gone.
        return truth, self._known(predictions["label"])[1]

    def _label_ids(self, rows: pa.Table) -> np.ndarray:
        """Give each row's class index, (rows,) int64; IGNORED where there is no label."""
        if "label" not in rows.column_names:
            return np.full(rows.num_rows, IGNORED)
        labels, ids = self._known(rows["label"])
        unknown = labels.filter(pa.array(ids == IGNORED)).drop_null()
        if len(unknown):
            raise DataError(
                f"Label {unknown[0].as_py()!r} is not one of {', '.join(self.outputs)} ({len(unknown)} "
                "rows). Add it to `labels`, or rename it in the source's label_map."
            )
        return ids

    def _known(self, column: pa.ChunkedArray) -> tuple[pa.Array, np.ndarray]:
        """Give labels as strings and their class indices; IGNORED where there is none or an unknown one."""
        labels = column.combine_chunks().cast(pa.string())
        found = pc.index_in(labels, value_set=pa.array(self.outputs, pa.string()))
        ids: np.ndarray = found.fill_null(IGNORED).to_numpy(zero_copy_only=False).astype(np.int64)
        return labels, ids
