"""One label for a whole text, such as the sentiment of a sentence."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa

from models.adapters.base import Encoding
from models.adapters.guesses import text_and_label
from models.adapters.label_column import map_labels, measure_texts
from models.adapters.one_label import OneLabel
from models.adapters.rows import ENCODING, Check, Guess, Rule, Sample
from models.adapters.text_windows import encode_texts
from models.schemas import SourceConfig

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class TextClassification(OneLabel):
    """Classify texts."""

    name: ClassVar[str] = "text_classification"
    checks: ClassVar[tuple[Check, ...]] = (
        Check("text", Rule.SOME, "empty text"),
        Check("damaged", Rule.NONE, ENCODING),
        Check("label", Rule.KNOWN, "unknown label"),
    )
    perturbed: ClassVar[str | None] = "text"
    rewrites: ClassVar[str | None] = "text"
    baselines: ClassVar[tuple[str, ...]] = ("majority", "tfidf_logistic")

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

    def encode(self, rows: pa.Table, tokenizer: "PreTrainedTokenizerBase", first_row: int = 0) -> Encoding:
        """Tokenize texts; one that leaves no sub-word gets no window and is counted."""
        labels = self.label_ids(rows)[:, None]
        return encode_texts(rows["text"], labels, tokenizer, self.config, first_row)
