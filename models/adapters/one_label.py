"""What the task types with one label a row have in common: their loss, their answers and their scores."""

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.adapters.base import IGNORED, Answers, Outcomes, Shape, TaskAdapter
from models.adapters.scope import margins, threshold, with_constant
from models.adapters.taught import count_outputs
from models.adapters.text_windows import mean_scores
from models.errors import DataError
from models.ragged import Ragged

if TYPE_CHECKING:
    from torch import Tensor

PROBABILITY = "probability_"
"""A class's column is this and the class."""


class OneLabel(TaskAdapter):
    """Classify rows; the windows of a long one vote with the mean of their logits."""

    primary_metric: ClassVar[str] = "accuracy"
    pools: ClassVar[bool] = True
    softmax: ClassVar[bool] = True
    scorer: ClassVar[str] = "labels"
    least_labels: ClassVar[int | None] = 2
    knows_scope: ClassVar[bool] = True

    @property
    def outputs(self) -> tuple[str, ...]:
        """Name the classes in the config's order."""
        return self.config.labels

    @classmethod
    def labels_of(cls, rows: pa.Table) -> pa.Table:
        """List the one label of each row."""
        return pa.table({"row": pa.array(np.arange(rows.num_rows)), "label": rows["label"]})

    @property
    def shape(self) -> Shape:
        """Ask for a score of out-of-scope that no row changes."""
        return replace(super().shape, constant=self._scope)

    def untaught(self, windows: pa.Table) -> tuple[str, ...]:
        """Name the classes without a window; out-of-scope needs none."""
        counts = zip(self.outputs, count_outputs(windows, len(self.outputs)), strict=True)
        return tuple(name for name, count in counts if not count and name != self.config.out_of_scope)

    def loss(self, scores: "Tensor", labels: "Tensor") -> "Tensor":
        """Mean cross-entropy of scores (windows, outputs) and labels (windows, 1)."""
        import torch

        if self._scope is not None:
            scores = with_constant(scores, self._scope)
        total = torch.nn.functional.cross_entropy(
            scores.float(), labels.flatten(), ignore_index=IGNORED, reduction="sum"
        )
        return total / (labels != IGNORED).sum().clamp(min=1)

    @property
    def shifts(self) -> bool:
        """Whether there is a threshold to choose."""
        return self._scope is not None

    def shift(self, answers: Answers, rows: pa.Table) -> np.ndarray:
        """Raise out-of-scope until only `in_scope_share` of the classes' rows are above it."""
        shift = np.zeros(len(self.outputs))
        truth = self.label_ids(rows)
        in_scope = (truth != self._scope) & (truth != IGNORED)
        if self._scope is not None and in_scope.any():
            found = margins(self._scores(answers, rows.num_rows), self._scope)
            shift[self._scope] = threshold(found[in_scope], self.config.in_scope_share)
        return shift

    def decode(self, answers: Answers, rows: pa.Table) -> pa.Table:
        """Average the logits of each row's windows, then softmax; no window means equal chances.

        With `out_of_scope` there is `in_scope` as well (float64, 0-1): above 0.5 where a class was answered.
        """
        from scipy.special import expit, softmax

        scores = self._scores(answers, rows.num_rows)
        probabilities = softmax(scores, axis=1)
        best = probabilities.argmax(axis=1)
        sizes = np.full(rows.num_rows, len(self.outputs))
        found = pa.table(
            {
                "label": pa.array(self.outputs, pa.string()).take(pa.array(best, pa.int64())),
                "confidence": pa.array(probabilities.max(axis=1), pa.float64()),
                "probabilities": Ragged.from_lengths(probabilities.ravel(), sizes).to_arrow(pa.float64()),
            }
        )
        if self._scope is None:
            return found
        return found.append_column("in_scope", pa.array(expit(margins(scores, self._scope)), pa.float64()))

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

    def show(self, rows: pa.Table, predictions: pa.Table) -> pa.Table:  # noqa: ARG002 - what was asked is not shown again
        """Give `label`, `confidence`, `in_scope` where it is known, and `probability_<class>`."""
        flat = predictions["probabilities"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
        shares = flat.reshape(-1, len(self.outputs))
        columns = {f"{PROBABILITY}{name}": shares[:, i] for i, name in enumerate(self.outputs)}
        names = [name for name in ("label", "confidence", "in_scope") if name in predictions.column_names]
        return pa.table({name: predictions[name] for name in names} | columns)

    @property
    def _scope(self) -> int | None:
        """Give the place of out-of-scope among the outputs, where there is one."""
        label = self.config.out_of_scope
        return None if label is None else self.outputs.index(label)

    def _scores(self, answers: Answers, rows: int) -> np.ndarray:
        """Give each row's mean logits, (rows, outputs)."""
        places = answers.windows["row"].to_numpy()
        return mean_scores(answers.values, places, rows, len(self.outputs))

    def _pairs(self, rows: pa.Table, predictions: pa.Table) -> tuple[np.ndarray, np.ndarray]:
        if rows.num_rows != predictions.num_rows:
            raise DataError(
                f"{predictions.num_rows} predictions for {rows.num_rows} rows; score the rows that were "
                "predicted."
            )
        truth = self.label_ids(rows)
        if (truth == IGNORED).any():
            raise DataError(
                f"{(truth == IGNORED).sum()} rows have no label; rows are scored against one each."
            )
        # A model trained on an earlier label set may answer with a label that is gone.
        return truth, self._known(predictions["label"])[1]

    def label_ids(self, rows: pa.Table) -> np.ndarray:
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
