"""What adapters that write text have in common: an input text, a text to write, and how they are cut."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.adapters.base import ENCODED_SCHEMA, IGNORED, Answers, Encoding, Outcomes, TaskAdapter
from models.adapters.label_column import measure_texts
from models.adapters.rows import ENCODING, Check, Rule
from models.errors import DataError
from models.ragged import Ragged
from models.schemas.base import Description
from models.schemas.families import Family
from models.schemas.generation_fields import GenerationFields

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedTokenizerBase


Counts: TypeAlias = dict[str, int]
"""How many rows could not be used whole, by reason."""


class Writing(TaskAdapter):
    """Write `target` for `text`; a subclass says how close what was written is."""

    family: ClassVar[Family] = "seq2seq"
    pools: ClassVar[bool] = False
    checks: ClassVar[tuple[Check, ...]] = (
        Check("text", Rule.SOME, "empty text"),
        Check("damaged", Rule.NONE, ENCODING),
        Check("target", Rule.SOME, "empty target"),
    )
    scorer: ClassVar[str] = "texts"
    settings: ClassVar[tuple[type[Description], ...]] = (GenerationFields,)
    least_labels: ClassVar[int | None] = None

    @property
    def outputs(self) -> tuple[str, ...]:
        """Name nothing: the pretrained model's own head writes."""
        return ()

    @classmethod
    def columns(cls) -> pa.Schema:
        """Give `text` and `target`."""
        return pa.schema([("text", pa.string()), ("target", pa.string())])

    def measure(self, columns: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
        """Measure both texts."""
        lengths = {name: measure_texts(columns[name]) for name in ("text", "target")}
        damaged = pc.or_(lengths["text"]["damaged"], lengths["target"]["damaged"])
        return {"text": lengths["text"]["text"], "damaged": damaged, "target": lengths["target"]["text"]}

    @classmethod
    def texts(cls, rows: pa.Table) -> pa.ChunkedArray:
        """Give the inputs as they are."""
        return rows["text"]

    def prompts(self, rows: pa.Table) -> list[str]:
        """Give what the model reads of each row."""
        texts = pc.fill_null(self.texts(rows).combine_chunks(), "")
        return pc.binary_join_element_wise(self.config.instruction, texts, "").to_pylist()  # type: ignore[no-any-return]

    def encode(self, rows: pa.Table, tokenizer: "PreTrainedTokenizerBase", first_row: int = 0) -> Encoding:
        """Tokenize inputs, and targets where they are there; what is too long is cut, and counted."""
        none = Ragged.from_lengths(np.empty(0, np.int64), np.zeros(rows.num_rows, np.int64))
        read, unusable = self.read(rows, tokenizer)
        learned, more = (
            self.learned(rows, tokenizer) if self.truth() in rows.column_names else (none, dict[str, int]())
        )
        inputs, labels = self.laid_out(read, learned)
        table = pa.table(
            [
                pa.array(np.arange(rows.num_rows) + first_row, pa.int64()),
                inputs.to_arrow(pa.int32()),
                labels.to_arrow(pa.int32()),
                none.to_arrow(pa.int32()),
            ],
            schema=ENCODED_SCHEMA,
        )
        return Encoding(table, {reason: count for reason, count in {**unusable, **more}.items() if count})

    def read(self, rows: pa.Table, tokenizer: "PreTrainedTokenizerBase") -> tuple[Ragged, Counts]:
        """Give the sub-words that the model reads of each row, and how many rows were cut, by reason."""
        read, cut = _cut(self.prompts(rows), tokenizer, self.config.max_length)
        return read, {"input cut at max_length": cut}

    def targets(self, rows: pa.Table) -> list[str]:
        """Give the text that is to be written for each row."""
        return pc.fill_null(rows[self.truth()].combine_chunks(), "").to_pylist()  # type: ignore[no-any-return]

    def learned(self, rows: pa.Table, tokenizer: "PreTrainedTokenizerBase") -> tuple[Ragged, Counts]:
        """Give the sub-words that are to be written, an end behind them, and how many rows were cut."""
        written, cut = _cut(self.targets(rows), tokenizer, self.config.max_new_tokens, ends=True)
        return written, {"target cut at max_new_tokens": cut}

    def laid_out(self, read: Ragged, learned: Ragged) -> tuple[Ragged, Ragged]:
        """Give windows and their labels; by default what is written is no part of what is read."""
        return read, learned

    def loss(self, scores: "Tensor", labels: "Tensor") -> "Tensor":
        """Mean cross-entropy of scores (sub-words to write, vocabulary) and labels (windows, longest)."""
        import torch

        wanted = labels[labels != IGNORED]
        total = torch.nn.functional.cross_entropy(scores.float(), wanted, reduction="sum")
        return total / max(1, len(wanted))

    def decode(self, answers: Answers, rows: pa.Table) -> pa.Table:
        """Turn sub-words into texts; the confidence is the mean likelihood of one."""
        texts = answers.tokenizer.batch_decode(
            [one[0].astype(np.int64) for one in answers.values], skip_special_tokens=True
        )
        place = answers.windows["row"].to_numpy()
        written = np.full(rows.num_rows, "", object)
        written[place] = [text.strip() for text in texts]
        confidence = np.zeros(rows.num_rows)
        confidence[place] = [np.exp(one[1].mean()) if one.size else 0.0 for one in answers.values]
        return pa.table(
            {
                self.truth(): pa.array(written, pa.string()),
                "confidence": pa.array(np.minimum(confidence, 1.0), pa.float64()),
            }
        )

    @abstractmethod
    def closeness(self, truth: Sequence[str], written: Sequence[str]) -> dict[str, np.ndarray]:
        """Say how close each text that was written is to the true one.

        Returns:
            (rows,) fractions, 0-1, by the metric whose mean they make; `primary_metric` is among them.
        """

    def corpus(self, truth: Sequence[str], written: Sequence[str]) -> dict[str, float]:
        """Score all texts as one where the field does so; by default nothing more."""
        del truth, written
        return {}

    def outcomes(self, rows: pa.Table, predictions: pa.Table) -> Outcomes:
        """Count a text of closeness s as (s, 1 - s, 1 - s)."""
        truth, written = self.pairs(rows, predictions)
        close = self.closeness(truth, written)[self.primary_metric]
        exact = np.array([a == b for a, b in zip(truth, written, strict=True)], bool)
        return Outcomes(np.stack([close, 1 - close, 1 - close], axis=1), exact)

    def metrics(self, rows: pa.Table, predictions: pa.Table) -> dict[str, float]:
        """Score the mean closeness, and the corpus."""
        truth, written = self.pairs(rows, predictions)
        if not truth:
            raise DataError("There are no rows to score; 1 is needed.")
        means = {name: float(each.mean()) for name, each in self.closeness(truth, written).items()}
        return {**means, **self.corpus(truth, written)}

    def show(self, rows: pa.Table, predictions: pa.Table) -> pa.Table:
        """Give what was written and how likely it is."""
        del rows
        return predictions

    def pairs(self, rows: pa.Table, predictions: pa.Table) -> tuple[list[Any], list[Any]]:
        """Give true and written texts (or lists of them).

        Raises:
            DataError: There is no truth, or not one prediction a row.
        """
        if rows.num_rows != predictions.num_rows:
            raise DataError(
                f"{predictions.num_rows} predictions for {rows.num_rows} rows; score the rows that were "
                "predicted."
            )
        name = self.truth()
        if name not in rows.column_names or rows[name].null_count:
            raise DataError(f"Some rows have no {name}; rows are scored against one each.")
        return rows[name].to_pylist(), predictions[name].to_pylist()


def _cut(
    texts: list[str], tokenizer: "PreTrainedTokenizerBase", most: int, *, ends: bool = False
) -> tuple[Ragged, int]:
    """Tokenize texts to at most so many sub-words, an end among them; tell how many were cut."""
    if not texts:
        return Ragged.from_lists([]), 0
    found: Any = tokenizer(
        **{"text_target" if ends else "text": texts},
        return_attention_mask=False,
        truncation=False,
        verbose=False,
        split_special_tokens=True,
    )
    lists: list[list[int]] = found["input_ids"]
    cut = sum(len(ids) > most for ids in lists)
    return Ragged.from_lists([shortened(ids, most) for ids in lists]), cut


def shortened(ids: list[int], most: int) -> list[int]:
    """Cut sub-words to so many, the last of all among them, which ends a text."""
    return ids if len(ids) <= most else [*ids[: most - 1], ids[-1]]
