"""The relation between two entities of a sentence, such as who was born where."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.adapters.base import ENCODED_SCHEMA, Encoding
from models.adapters.guesses import tokens_and_pair
from models.adapters.label_column import map_labels
from models.adapters.marked_words import MarkedWords, mark_entities, mark_places, outside, read_spans
from models.adapters.one_label import OneLabel
from models.adapters.rows import ENCODING, Check, Guess, Rule, Sample
from models.adapters.tag_columns import measure_tokens
from models.adapters.windows import cut_windows
from models.errors import DataError
from models.ragged import Ragged
from models.schemas import SourceConfig

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

ENTITIES = ("head", "tail")


class RelationClassification(OneLabel):
    """Classify pairs of entities by the states of their marks; only windows that hold both are read.

    Baldini Soares et al., "Matching the Blanks", 2019, arXiv:1906.03158, sec. 3.2 (entity start states).
    """

    name: ClassVar[str] = "relation_classification"
    marks: ClassVar[int] = 2
    reads_words: ClassVar[bool] = True
    checks: ClassVar[tuple[Check, ...]] = (
        Check("tokens", Rule.SOME, "no tokens"),
        Check("empty_tokens", Rule.NONE, "empty token"),
        Check("damaged_tokens", Rule.NONE, ENCODING),
        Check("head"),
        Check("tail"),
        Check("head_outside", Rule.NONE, "head is no place among the tokens"),
        Check("tail_outside", Rule.NONE, "tail is no place among the tokens"),
        Check("label", Rule.KNOWN, "unknown label"),
    )
    baselines: ClassVar[tuple[str, ...]] = ("majority", "tfidf_logistic")
    label_word: ClassVar[str] = "relation"

    @classmethod
    def columns(cls) -> pa.Schema:
        """Give `tokens`, `head` and `tail` (first and last word of each, from 0), and `label`."""
        words = pa.list_(pa.string())
        return pa.schema([("tokens", words), ("head", words), ("tail", words), ("label", pa.string())])

    @classmethod
    def inputs(cls) -> pa.Schema:
        """Give all but the label."""
        return cls.columns().remove(3)

    @classmethod
    def source_columns(cls, source: SourceConfig) -> dict[str, str]:
        """Take `tokens_column` and `label_column`."""
        own = {"tokens": source.tokens_column, "label": source.label_column}
        return {**super().source_columns(source), **own, **source.columns}

    @classmethod
    def guess(cls, sample: Sample) -> Guess | None:
        """Look for tokens, a head and a tail."""
        return tokens_and_pair(sample)

    @classmethod
    def rename(cls, columns: Mapping[str, pa.Array], renames: Mapping[str, str]) -> dict[str, pa.Array]:
        """Rename relations; one that is empty counts as missing."""
        return {**columns, "label": map_labels(columns["label"], renames)}

    def measure(self, columns: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
        """Count tokens and what is wrong with them, and look whether both entities are among them."""
        measured = {**measure_tokens(columns["tokens"]), "label": columns["label"]}
        lengths = pc.fill_null(measured["tokens"], 0).to_numpy(zero_copy_only=False)
        for name in ENTITIES:
            measured[name] = pc.list_value_length(columns[name])
            measured[f"{name}_outside"] = pa.array(outside(read_spans(columns[name]), lengths))
        return measured

    @classmethod
    def texts(cls, rows: pa.Table) -> pa.ChunkedArray:
        """Join each row's tokens and marks by a blank: another pair of the same sentence is another text."""
        return pa.chunked_array([pc.binary_join(_marked(rows).words, " ")])

    def encode(self, rows: pa.Table, tokenizer: "PreTrainedTokenizerBase", first_row: int = 0) -> Encoding:
        """Tokenize marked words; a row whose entities share no window gets none and is counted."""
        labels, marked = self.label_ids(rows), _marked(rows)
        windows = cut_windows(marked.words.to_pylist(), tokenizer, self.config)
        places = mark_places(windows, marked.places)
        usable = np.all(places >= 0, axis=1)
        row = windows.rows[usable]
        ones = np.ones(len(row), np.int64)
        table = pa.table(
            [
                pa.array(row + first_row, pa.int64()),
                windows.ids.keep(usable).to_arrow(pa.int32()),
                Ragged.from_lengths(labels[row], ones).to_arrow(pa.int32()),
                Ragged.from_lengths(places[usable].ravel(), 2 * ones).to_arrow(pa.int32()),
            ],
            schema=ENCODED_SCHEMA,
        )
        lost = rows.num_rows - len(np.unique(row))
        return Encoding(table, {"entities too far apart": lost} if lost else {})


def _marked(rows: pa.Table) -> MarkedWords:
    """Mark both entities of each row.

    Raises:
        DataError: An entity is no place among its row's tokens.
    """
    tokens = _lists(rows, "tokens")
    lengths = pc.list_value_length(tokens).to_numpy(zero_copy_only=False)
    spans = {name: read_spans(_lists(rows, name)) for name in ENTITIES}
    for name, found in spans.items():
        wrong = np.flatnonzero(outside(found, lengths))
        if len(wrong):
            given = rows[name][int(wrong[0])].as_py()
            raise DataError(
                f"Row {wrong[0]} has the {name} {given} among {lengths[wrong[0]]} tokens ({len(wrong)} such "
                "rows); give its first and last word, counting from 0."
            )
    return mark_entities(tokens, np.stack([spans[name] for name in ENTITIES], axis=1))


def _lists(rows: pa.Table, name: str) -> pa.ListArray:
    """Give a list column without nulls."""
    column = rows[name].combine_chunks().cast(pa.list_(pa.string()))
    counts = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
    offsets = pa.array(np.concatenate([[0], np.cumsum(counts)]), pa.int32())
    return pa.ListArray.from_arrays(offsets, pc.fill_null(pc.list_flatten(column), ""))
