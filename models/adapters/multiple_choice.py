"""Which of a row's own choices is right, such as an answer to a question or a continuation of a text."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.adapters.base import ENCODED_SCHEMA, IGNORED, Answers, Encoding, Outcomes, TaskAdapter
from models.adapters.choices import choices_of, choose, right_choices
from models.adapters.guesses import question_and_choices
from models.adapters.label_column import measure_texts
from models.adapters.rows import ENCODING, Check, Guess, Rule, Sample
from models.errors import DataError
from models.ragged import Ragged

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedTokenizerBase


class MultipleChoice(TaskAdapter):
    """Score each choice beside its question; a softmax over the row's choices says which is right.

    Radford et al., "Improving Language Understanding by Generative Pre-Training", 2018, sec. 3.3. A pair that
    is too long loses sub-words at the end of its longer part.
    """

    name: ClassVar[str] = "multiple_choice"
    primary_metric: ClassVar[str] = "accuracy"
    pools: ClassVar[bool] = True
    together: ClassVar[bool] = True
    checks: ClassVar[tuple[Check, ...]] = (
        Check("question", Rule.SOME, "empty question"),
        Check("damaged", Rule.NONE, ENCODING),
        Check("choices", Rule.SOME, "fewer than two choices"),
        Check("empty_choices", Rule.NONE, "empty choice"),
        Check("answer"),
        Check("strange_answer", Rule.NONE, "answer is none of the choices"),
    )
    scorer: ClassVar[str] = "choices"
    baselines: ClassVar[tuple[str, ...]] = ("longest_choice", "likest_choice")
    least_labels: ClassVar[int | None] = None

    @property
    def outputs(self) -> tuple[str, ...]:
        """Name the one score of a choice."""
        return ("right",)

    @classmethod
    def columns(cls) -> pa.Schema:
        """Give `question`, `choices` and `answer`."""
        text = pa.string()
        return pa.schema([("question", text), ("choices", pa.list_(text)), ("answer", text)])

    @classmethod
    def inputs(cls) -> pa.Schema:
        """Give all but the answer."""
        return cls.columns().remove(2)

    @classmethod
    def guess(cls, sample: Sample) -> Guess | None:
        """Look for a question, choices and an answer by their names."""
        return question_and_choices(sample)

    def measure(self, columns: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
        """Measure the question; count the choices beyond the first; look for the answer among them."""
        question, choices = measure_texts(columns["question"]), columns["choices"]
        table = pa.table({"choices": choices})
        flat = Ragged.from_lengths(np.empty(0), pc.fill_null(pc.list_value_length(choices), 0).to_numpy())
        texts = measure_texts(choices_of(table).flatten())
        empty = pc.fill_null(texts["text"], 0).to_numpy(zero_copy_only=False) == 0
        owners = np.repeat(np.arange(len(choices)), flat.lengths)
        right = right_choices(choices_of(table), columns["answer"])
        damaged = np.bincount(owners, texts["damaged"].to_numpy(zero_copy_only=False), len(choices)) > 0
        return {
            "question": question["text"],
            "damaged": pc.or_(question["damaged"], pa.array(damaged)),
            "choices": pc.subtract(pc.list_value_length(choices), 1),
            "empty_choices": pa.array(np.bincount(owners, empty, len(choices)).astype(np.int64)),
            "answer": columns["answer"],
            "strange_answer": pa.array(np.bincount(owners, right, len(choices)) == 0),
        }

    @classmethod
    def texts(cls, rows: pa.Table) -> pa.ChunkedArray:
        """Join each question and its choices, a line each."""
        question = pc.fill_null(rows["question"].combine_chunks(), "")
        joined = pc.binary_join(choices_of(rows), "\n")
        return pa.chunked_array([pc.binary_join_element_wise(question, joined, "\n")])

    @classmethod
    def documents(cls, rows: pa.Table) -> pa.ChunkedArray:
        """Give the questions: rows with the same one are held out together."""
        return rows["question"]

    def encode(self, rows: pa.Table, tokenizer: "PreTrainedTokenizerBase", first_row: int = 0) -> Encoding:
        """Tokenize each choice beside its question; a row without choices gets no window and is counted.

        A window's labels are whether its choice is right (1 or 0) and the place of the choice in its row.
        """
        choices = choices_of(rows)
        counts = pc.list_value_length(choices).to_numpy(zero_copy_only=False)
        owners = np.repeat(np.arange(len(choices)), counts)
        places = np.arange(len(owners)) - np.repeat(np.cumsum(counts) - counts, counts)
        ids = self._pairs_ids(rows, choices, tokenizer)
        labels = np.stack([self._right(rows, choices), places], axis=1)
        table = pa.table(
            [
                pa.array(owners + first_row, pa.int64()),
                ids.to_arrow(pa.int32()),
                Ragged.from_lengths(labels.ravel(), np.full(len(owners), 2)).to_arrow(pa.int32()),
                Ragged.from_lengths(places[:0], np.zeros(len(owners), np.int64)).to_arrow(pa.int32()),
            ],
            schema=ENCODED_SCHEMA,
        )
        lost = int((counts == 0).sum())
        return Encoding(table, {"row without choices": lost} if lost else {})

    def loss(self, scores: "Tensor", labels: "Tensor") -> "Tensor":
        """Mean cross-entropy over rows: scores (windows, 1), labels (windows, 2), in the rows' order."""
        import torch

        right, row = labels[:, 0] == 1, (labels[:, 1] == 0).cumsum(0) - 1
        flat, rows = scores.float().flatten(), int(row[-1]) + 1
        top = torch.full((rows,), -torch.inf, device=flat.device)
        top = top.scatter_reduce(0, row, flat.detach(), "amax")
        shifted = flat - top[row]
        total = torch.zeros(rows, device=flat.device).index_add(0, row, shifted.exp())
        losses = total.log()[row] - shifted
        return losses[right].sum() / right.sum().clamp(min=1)

    def decode(self, answers: Answers, rows: pa.Table) -> pa.Table:
        """Answer each row with the choice that scores best."""
        scores = np.concatenate([np.zeros(0), *answers.values])
        return choose(choices_of(rows), scores)

    def outcomes(self, rows: pa.Table, predictions: pa.Table) -> Outcomes:
        """Count a right answer as (1, 0, 0) and a wrong one as (0, 1, 1)."""
        if rows.num_rows != predictions.num_rows:
            raise DataError(
                f"{predictions.num_rows} predictions for {rows.num_rows} rows; score the rows that were "
                "predicted."
            )
        if "answer" not in rows.column_names or rows["answer"].null_count:
            raise DataError("Some rows have no answer; rows are scored against one each.")
        same = pc.equal(rows["answer"].combine_chunks(), predictions["answer"].combine_chunks())
        right = same.to_numpy(zero_copy_only=False)
        return Outcomes(np.stack([right, ~right, ~right], axis=1).astype(np.int64), right)

    def metrics(self, rows: pa.Table, predictions: pa.Table) -> dict[str, float]:
        """Score accuracy."""
        if not rows.num_rows:
            raise DataError("There are no rows to score; 1 is needed.")
        return {"accuracy": float(self.outcomes(rows, predictions).exact.mean())}

    def show(self, rows: pa.Table, predictions: pa.Table) -> pa.Table:
        """Give `answer`, `confidence`, and the `choices` with their `probabilities`."""
        shown = {name: predictions[name] for name in ("answer", "confidence")}
        return pa.table({**shown, "choices": rows["choices"], "probabilities": predictions["probabilities"]})

    def _pairs_ids(
        self, rows: pa.Table, choices: pa.ListArray, tokenizer: "PreTrainedTokenizerBase"
    ) -> Ragged:
        counts = pc.list_value_length(choices)
        if not pc.sum(counts).as_py():
            return Ragged(np.zeros(0, np.int64), np.zeros(1, np.int64))
        questions = pc.fill_null(rows["question"].combine_chunks(), "")
        beside = questions.take(pa.array(np.repeat(np.arange(len(choices)), counts.to_numpy())))
        batch: Any = tokenizer(
            beside.to_pylist(),
            choices.flatten().to_pylist(),
            truncation="longest_first",
            max_length=self.config.max_length,
            return_attention_mask=False,
            return_token_type_ids=False,
            split_special_tokens=True,
        )
        lengths = np.fromiter(map(len, batch["input_ids"]), np.int64)
        return Ragged.from_lengths(
            np.concatenate([np.array(x, np.int64) for x in batch["input_ids"]]), lengths
        )

    def _right(self, rows: pa.Table, choices: pa.ListArray) -> np.ndarray:
        """Give 1 for each right choice and 0 for the others; IGNORED in rows without an answer among them."""
        counts = pc.list_value_length(choices).to_numpy(zero_copy_only=False)
        if "answer" not in rows.column_names:
            return np.full(int(counts.sum()), IGNORED)
        right = right_choices(choices, rows["answer"].combine_chunks())
        owners = np.repeat(np.arange(len(choices)), counts)
        known = np.bincount(owners, right, len(choices)) > 0
        return np.where(known[owners], right, IGNORED)
