"""The part of a passage that answers a question."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.adapters.base import ENCODED_SCHEMA, IGNORED, Answers, Encoding, Outcomes, TaskAdapter
from models.adapters.guesses import question_and_passage
from models.adapters.label_column import measure_texts
from models.adapters.pairs import PairWindows, cut_pairs
from models.adapters.rows import ENCODING, Check, Guess, Rule, Sample
from models.adapters.spans import best_spans
from models.errors import DataError
from models.ragged import Ragged
from models.schemas.answer_fields import AnswerFields
from models.schemas.base import Description
from models.squad import squad_scores

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedTokenizerBase


class QuestionAnswering(TaskAdapter):
    """Find answers as spans of the passage; a long one is read in windows, and the best span of all counts.

    A row's `answers` are texts of its passage that are right, none where nothing is; the first is learned,
    where it first stands. Scores are those of SQuAD (Rajpurkar et al. 2016, arXiv:1606.05250, and 2018,
    arXiv:1806.03822): exact match and F1 of words, the best over the answers.
    """

    name: ClassVar[str] = "question_answering"
    primary_metric: ClassVar[str] = "f1"
    pools: ClassVar[bool] = False
    windows: ClassVar[pa.Schema] = ENCODED_SCHEMA.append(pa.field("ends", pa.list_(pa.int32())))
    checks: ClassVar[tuple[Check, ...]] = (
        Check("question", Rule.SOME, "empty question"),
        Check("context", Rule.SOME, "empty context"),
        Check("damaged", Rule.NONE, ENCODING),
        Check("answers"),
        Check("unanswered", Rule.NONE, "no answer, and no_answer_margin is not set"),
        Check("misplaced", Rule.NONE, "answer is not in the context"),
    )
    perturbed: ClassVar[str | None] = "question"
    scorer: ClassVar[str] = "answers"
    settings: ClassVar[tuple[type[Description], ...]] = (AnswerFields,)
    baselines: ClassVar[tuple[str, ...]] = ("likest_sentence",)
    least_labels: ClassVar[int | None] = None

    @property
    def outputs(self) -> tuple[str, ...]:
        """Name the two scores of a sub-word."""
        return ("start", "end")

    @classmethod
    def columns(cls) -> pa.Schema:
        """Give `question`, `context` and `answers`."""
        texts = [("question", pa.string()), ("context", pa.string())]
        return pa.schema([*texts, ("answers", pa.list_(pa.string()))])

    @classmethod
    def inputs(cls) -> pa.Schema:
        """Give `question` and `context`."""
        return pa.schema([cls.columns().field(0), cls.columns().field(1)])

    @classmethod
    def guess(cls, sample: Sample) -> Guess | None:
        """Look for a question, a passage and answers that stand in it."""
        return question_and_passage(sample)

    def measure(self, columns: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
        """Measure both texts, count answers, and those that the passage does not hold."""
        question, context = (measure_texts(columns[name]) for name in ("question", "context"))
        counts = pc.list_value_length(columns["answers"])
        unanswered = pc.equal(counts, 0) if self.config.no_answer_margin is None else pc.less(counts, 0)
        return {
            "question": question["text"],
            "context": context["text"],
            "damaged": pc.or_(question["damaged"], context["damaged"]),
            "answers": counts,
            "unanswered": pc.fill_null(unanswered, False),
            "misplaced": pa.array(_misplaced(columns["context"], columns["answers"])),
        }

    @classmethod
    def texts(cls, rows: pa.Table) -> pa.ChunkedArray:
        """Give question and passage, a line each."""
        return pc.binary_join_element_wise(rows["question"], rows["context"], "\n")

    @classmethod
    def documents(cls, rows: pa.Table) -> pa.ChunkedArray:
        """Give the passages: all questions about one are held out together."""
        return rows["context"]

    def encode(self, rows: pa.Table, tokenizer: "PreTrainedTokenizerBase", first_row: int = 0) -> Encoding:
        """Tokenize pairs; a window without the whole answer is taught to point at its first sub-word."""
        questions, passages = (
            pc.fill_null(rows[name].combine_chunks(), "").to_pylist() for name in ("question", "context")
        )
        pairs = cut_pairs(questions, passages, tokenizer, self.config)
        labels = np.full((len(pairs.rows), 2), IGNORED)
        if "answers" in rows.column_names:
            labels = _labels(pairs, *_first_answers(rows))
        table = pa.table(
            [
                pa.array(pairs.rows + first_row, pa.int64()),
                pairs.ids.to_arrow(pa.int32()),
                Ragged.from_lengths(labels.ravel(), np.full(len(labels), 2)).to_arrow(pa.int32()),
                Ragged(pairs.starts, pairs.ids.offsets).to_arrow(pa.int32()),
                Ragged(pairs.ends, pairs.ids.offsets).to_arrow(pa.int32()),
            ],
            schema=self.windows,
        )
        return Encoding(table, {"question cut at half of max_length": pairs.cut} if pairs.cut else {})

    def loss(self, scores: "Tensor", labels: "Tensor") -> "Tensor":
        """Mean cross-entropy of the places: scores (windows, length, 2), labels (windows, 2)."""
        import torch

        total = torch.nn.functional.cross_entropy(
            scores.float().transpose(1, 2).flatten(0, 1),
            labels.flatten(),
            ignore_index=IGNORED,
            reduction="sum",
        )
        return total / (labels != IGNORED).sum().clamp(min=1)

    def decode(self, answers: Answers, rows: pa.Table) -> pa.Table:
        """Take each row's best span; none where "none", the first sub-word, scores higher by the margin."""
        texts, sure = [""] * rows.num_rows, np.zeros(rows.num_rows)
        if len(answers.values):
            starts, ends = (Ragged.from_column(answers.windows[name]) for name in ("words", "ends"))
            row_of = answers.windows["row"].to_numpy()
            scores = np.concatenate(answers.values).astype(np.float64)
            none = np.full(rows.num_rows, np.inf)
            np.minimum.at(none, row_of, scores[starts.offsets[:-1]].sum(axis=1))
            scores[starts.values < 0] = -np.inf
            best = best_spans(scores, starts.owners, row_of, self.config.max_answer_length)
            margin = self.config.no_answer_margin
            given = best.first >= 0
            if margin is not None:
                given &= none[: len(given)] - best.score <= margin
            for row in np.flatnonzero(given).tolist():
                place = slice(int(starts.values[best.first[row]]), int(ends.values[best.last[row]]))
                texts[row] = (rows["context"][row].as_py() or "")[place]
            sure[: len(best.chance)] = best.chance
            if margin is not None:
                # "None" is one more answer beside the spans; the chances of both add up to 1.
                against = 1 / (1 + np.exp(np.clip(none[: len(given)] - best.score - margin, -500, 500)))
                sure[: len(given)] = np.where(given, best.chance * against, 1 - against)
        lists = [[text] if text else [] for text in texts]
        return pa.table(
            {"answers": pa.array(lists, pa.list_(pa.string())), "confidence": np.minimum(sure, 1.0)}
        )

    def outcomes(self, rows: pa.Table, predictions: pa.Table) -> Outcomes:
        """Count an answer of F1 s as (s, 1 - s, 1 - s); it is exact where it matches after normalization."""
        exact, f1 = self._scores(rows, predictions)
        return Outcomes(np.stack([f1, 1 - f1, 1 - f1], axis=1), exact)

    def metrics(self, rows: pa.Table, predictions: pa.Table) -> dict[str, float]:
        """Score F1 and exact match."""
        exact, f1 = self._scores(rows, predictions)
        if not len(f1):
            raise DataError("There are no rows to score; 1 is needed.")
        return {"f1": float(f1.mean()), "exact_match": float(exact.mean())}

    def show(self, rows: pa.Table, predictions: pa.Table) -> pa.Table:
        """Give `answer`, empty where there is none, and `confidence`."""
        del rows
        answer = pc.binary_join(predictions["answers"], "")
        return pa.table({"answer": answer, "confidence": predictions["confidence"]})

    def _scores(self, rows: pa.Table, predictions: pa.Table) -> tuple[np.ndarray, np.ndarray]:
        if rows.num_rows != predictions.num_rows:
            raise DataError(
                f"{predictions.num_rows} predictions for {rows.num_rows} rows; score the rows that were "
                "predicted."
            )
        if "answers" not in rows.column_names or rows["answers"].null_count:
            raise DataError("Some rows have no list of answers; rows are scored against one each.")
        given = pc.binary_join(predictions["answers"], "").to_pylist()
        return squad_scores(rows["answers"].to_pylist(), given)


def _misplaced(contexts: pa.Array, answers: pa.Array) -> np.ndarray:
    """Tell which rows have an answer that is empty or is not in the passage."""
    pairs = zip(contexts.to_pylist(), answers.to_pylist(), strict=True)
    return np.array([any(not a or a not in (c or "") for a in given or ()) for c, given in pairs], bool)


def _first_answers(rows: pa.Table) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give where each row's first answer begins and ends (-1 for none), and whether answers are told."""
    contexts, answers = rows["context"].to_pylist(), rows["answers"].to_pylist()
    first = np.array(
        [(c or "").find(a[0]) if a else -1 for c, a in zip(contexts, answers, strict=True)], np.int64
    )
    lengths = np.array([len(a[0]) if a else 0 for a in answers], np.int64)
    return first, np.where(first >= 0, first + lengths, -1), np.array([a is not None for a in answers], bool)


def _labels(pairs: PairWindows, first: np.ndarray, end: np.ndarray, told: np.ndarray) -> np.ndarray:
    """Give the places of the answer's first and last sub-word in each window, (windows, 2)."""
    owners, places = pairs.ids.owners, pairs.ids.places
    row = pairs.rows[owners]
    labels = np.where(told[pairs.rows], 0, IGNORED)[:, None].repeat(2, axis=1)
    inside = (pairs.starts >= 0) & (first[row] >= 0)
    begins = inside & (pairs.starts <= first[row]) & (first[row] < pairs.ends)
    closes = inside & (pairs.starts < end[row]) & (end[row] <= pairs.ends)
    whole = np.ones(len(labels), bool)
    for marks in (begins, closes):
        whole &= np.bincount(owners[marks], minlength=len(labels)) > 0
    for column, marks in enumerate((begins, closes)):
        kept = np.flatnonzero(marks & np.repeat(whole, pairs.ids.lengths))
        labels[owners[kept], column] = places[kept]
    return labels
