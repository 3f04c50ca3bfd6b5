"""Any number of labels for a whole text, such as the topics of an article: none, one or several."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.adapters.base import IGNORED, Answers, Encoding, Outcomes, TaskAdapter
from models.adapters.guesses import text_and_labels
from models.adapters.label_column import measure_texts
from models.adapters.label_lists import count_unknown, indicators, label_lists, map_label_lists
from models.adapters.one_label import PROBABILITY
from models.adapters.rows import ENCODING, Check, Guess, Rule, Sample
from models.adapters.text_windows import encode_texts, mean_scores
from models.errors import DataError
from models.ragged import Ragged
from models.schemas import SourceConfig

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedTokenizerBase


class MultiLabelClassification(TaskAdapter):
    """Answer every label that is more likely than not; a text's windows vote with the mean of their logits.

    Each label has a logistic output of its own (binary relevance; Boutell et al., "Learning multi-label scene
    classification", Pattern Recognition 37, 2004).
    """

    name: ClassVar[str] = "multi_label_classification"
    primary_metric: ClassVar[str] = "f1"
    pools: ClassVar[bool] = True
    checks: ClassVar[tuple[Check, ...]] = (
        Check("text", Rule.SOME, "empty text"),
        Check("damaged", Rule.NONE, ENCODING),
        Check("labels"),
        Check("unknown", Rule.NONE, "unknown label"),
    )
    scorer: ClassVar[str] = "label_sets"
    perturbed: ClassVar[str | None] = "text"
    rewrites: ClassVar[str | None] = "text"
    baselines: ClassVar[tuple[str, ...]] = ("commonest_labels", "tfidf_labels")

    @property
    def outputs(self) -> tuple[str, ...]:
        """Name the labels in the config's order."""
        return self.config.labels

    @classmethod
    def columns(cls) -> pa.Schema:
        """Give `text` and `labels`."""
        return pa.schema([("text", pa.string()), ("labels", pa.list_(pa.string()))])

    @classmethod
    def source_columns(cls, source: SourceConfig) -> dict[str, str]:
        """Take the text from `text_column`."""
        return {**super().source_columns(source), "text": source.columns.get("text", source.text_column)}

    @classmethod
    def guess(cls, sample: Sample) -> Guess | None:
        """Look for a text and a list of labels that repeat."""
        return text_and_labels(sample)

    @classmethod
    def rename(cls, columns: Mapping[str, pa.Array], renames: Mapping[str, str]) -> dict[str, pa.Array]:
        """Rename labels."""
        return {"text": columns["text"], "labels": map_label_lists(columns["labels"], renames)}

    def measure(self, columns: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
        """Measure the text and count the labels; a row may have none, but not no list of them."""
        labels = columns["labels"]
        counted = {"labels": pc.list_value_length(labels), "unknown": count_unknown(labels, self.outputs)}
        return measure_texts(columns["text"]) | counted

    @classmethod
    def texts(cls, rows: pa.Table) -> pa.ChunkedArray:
        """Give the texts as they are."""
        return rows["text"]

    @classmethod
    def labels_of(cls, rows: pa.Table) -> pa.Table:
        """List every label of each row."""
        lists = rows["labels"]
        return pa.table({"row": pc.list_parent_indices(lists), "label": pc.list_flatten(lists)})

    def encode(self, rows: pa.Table, tokenizer: "PreTrainedTokenizerBase", first_row: int = 0) -> Encoding:
        """Tokenize texts; every window carries a 1 or 0 a label."""
        return encode_texts(rows["text"], self._targets(rows), tokenizer, self.config, first_row)

    def untaught(self, windows: pa.Table) -> tuple[str, ...]:
        """Name the labels that no window has."""
        taught = np.zeros(len(self.outputs), bool)
        for chunk in windows["labels"].chunks:
            taught |= (Ragged.from_column(chunk).values.reshape(-1, len(self.outputs)) > 0).any(axis=0)
        return tuple(name for name, found in zip(self.outputs, taught, strict=True) if not found)

    def loss(self, scores: "Tensor", labels: "Tensor") -> "Tensor":
        """Mean logistic loss over labels: scores and labels (windows, outputs)."""
        import torch

        known = labels != IGNORED
        losses = torch.nn.functional.binary_cross_entropy_with_logits(
            scores.float(), labels.clamp(min=0).float(), reduction="none"
        )
        return losses.masked_fill(~known, 0.0).sum() / known.sum().clamp(min=1)

    def decode(self, answers: Answers, rows: pa.Table) -> pa.Table:
        """Average the logits of each row's windows; the confidence is that of the least sure label."""
        from scipy.special import expit

        places = answers.windows["row"].to_numpy()
        scores = mean_scores(answers.values, places, rows.num_rows, len(self.outputs))
        chances = expit(scores)
        sure = np.maximum(chances, 1 - chances).min(axis=1, initial=1.0)
        sizes = np.full(rows.num_rows, len(self.outputs))
        return pa.table(
            {
                "labels": label_lists(chances > 0.5, self.outputs),
                "confidence": pa.array(sure, pa.float64()),
                "probabilities": Ragged.from_lengths(chances.ravel(), sizes).to_arrow(pa.float64()),
            }
        )

    def outcomes(self, rows: pa.Table, predictions: pa.Table) -> Outcomes:
        """Count the labels of each row that are found, made up and missed."""
        truth, predicted, strange = self._pairs(rows, predictions)
        hits = (truth & predicted).sum(axis=1)
        counts = np.stack([hits, predicted.sum(axis=1) + strange - hits, truth.sum(axis=1) - hits], axis=1)
        return Outcomes(counts.astype(np.int64), (truth == predicted).all(axis=1) & (strange == 0))

    def metrics(self, rows: pa.Table, predictions: pa.Table) -> dict[str, float]:
        """Score micro and macro F1, and the share of rows whose labels are all right."""
        from sklearn.metrics import f1_score

        truth, predicted, _ = self._pairs(rows, predictions)
        if not len(truth):
            raise DataError("There are no rows to score; 1 is needed.")
        outcomes = self.outcomes(rows, predictions)
        hits, wrong, missed = outcomes.counts.sum(axis=0).tolist()
        met = np.flatnonzero((truth | predicted).any(axis=0))
        macro = f1_score(truth, predicted, labels=met, average="macro", zero_division=0) if len(met) else 0.0
        return {
            "f1": 2 * hits / max(1, 2 * hits + wrong + missed),
            "macro_f1": float(macro),
            "exact_match": float(outcomes.exact.mean()),
        }

    def show(self, rows: pa.Table, predictions: pa.Table) -> pa.Table:  # noqa: ARG002 - a text is not shown again
        """Give `labels`, `confidence` and `probability_<label>`."""
        flat = predictions["probabilities"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
        shares = flat.reshape(-1, len(self.outputs))
        columns = {f"{PROBABILITY}{name}": shares[:, i] for i, name in enumerate(self.outputs)}
        return pa.table({name: predictions[name] for name in ("labels", "confidence")} | columns)

    def _pairs(self, rows: pa.Table, predictions: pa.Table) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Give truth and prediction, (rows, labels) bool, and each row's count of labels of another set."""
        if rows.num_rows != predictions.num_rows:
            raise DataError(
                f"{predictions.num_rows} predictions for {rows.num_rows} rows; score the rows that were "
                "predicted."
            )
        truth = self._targets(rows)
        if (truth == IGNORED).any():
            missing = int((truth == IGNORED).any(axis=1).sum())
            raise DataError(f"{missing} rows have no labels; rows are scored against one list of them each.")
        lists = _lists(predictions)
        strange = count_unknown(lists, self.outputs).to_numpy()
        return truth == 1, indicators(lists, self.outputs), strange

    def _targets(self, rows: pa.Table) -> np.ndarray:
        """Give 1 and 0 a label, (rows, labels) int64; IGNORED where there is no list."""
        if "labels" not in rows.column_names:
            return np.full((rows.num_rows, len(self.outputs)), IGNORED)
        lists = _lists(rows)
        unknown = pc.list_flatten(lists).filter(
            pc.is_null(pc.index_in(pc.list_flatten(lists), value_set=pa.array(self.outputs, pa.string())))
        )
        if len(unknown):
            raise DataError(
                f"Label {unknown[0].as_py()!r} is not one of {', '.join(self.outputs)} ({len(unknown)} "
                "times). Add it to `labels`, or rename it in the source's label_map."
            )
        targets = indicators(lists, self.outputs).astype(np.int64)
        targets[pc.is_null(lists).to_numpy(zero_copy_only=False)] = IGNORED
        return targets


def _lists(rows: pa.Table) -> pa.ListArray:
    return rows["labels"].combine_chunks().cast(pa.list_(pa.string()))
