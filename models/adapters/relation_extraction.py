"""Which relations a sentence states, and between which words: entities and relations at once."""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.adapters.base import Answers, Encoding, Outcomes, TaskAdapter
from models.adapters.guesses import tokens_and_relations
from models.adapters.rows import ENCODING, Check, Guess, Rule, Sample
from models.adapters.tag_columns import measure_tokens
from models.adapters.token_classification import TokenClassification
from models.adapters.triples import (
    count_triples,
    overlapping,
    read_triples,
    rename_triples,
    role_names,
    tags_to_triples,
    triples_to_tags,
    write_triples,
)
from models.errors import DataError
from models.ragged import Ragged
from models.schemas import SourceConfig

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedTokenizerBase

_LIST = pa.list_(pa.string())


class RelationExtraction(TaskAdapter):
    """Tag each word with the relation it is an end of and its role in it, then join heads with tails.

    Zheng et al., "Joint Extraction of Entities and Relations Based on a Novel Tagging Scheme", 2017,
    arXiv:1706.05075, sec. 3.1. Where a relation is stated twice in a sentence, heads and tails are joined in
    the order of the text, and not by distance as there. An entity can be in one relation of its sentence.
    """

    name: ClassVar[str] = "relation_extraction"
    primary_metric: ClassVar[str] = "f1"
    pools: ClassVar[bool] = False
    softmax: ClassVar[bool] = True
    reads_words: ClassVar[bool] = True
    checks: ClassVar[tuple[Check, ...]] = (
        Check("tokens", Rule.SOME, "no tokens"),
        Check("empty_tokens", Rule.NONE, "empty token"),
        Check("damaged_tokens", Rule.NONE, ENCODING),
        Check("relations"),
        Check("unread", Rule.NONE, "relation is not written as `label first last first last`"),
        Check("unknown", Rule.NONE, "unknown label"),
        Check("outside", Rule.NONE, "an entity is no place among the tokens"),
        Check("overlap", Rule.NONE, "two entities share a token"),
    )
    scorer: ClassVar[str] = "triples"
    baselines: ClassVar[tuple[str, ...]] = ("frequent_role", "crf_roles")
    label_word: ClassVar[str] = "relation"

    @cached_property
    def tagger(self) -> TokenClassification:
        """Give the adapter that tags words with roles."""
        return TokenClassification(self.config.model_copy(update={"labels": role_names(self.config.labels)}))

    @property
    def outputs(self) -> tuple[str, ...]:
        """Name O and then B- and I- of each relation's roles."""
        return self.tagger.outputs

    @classmethod
    def columns(cls) -> pa.Schema:
        """Give `tokens` and `relations`: label, head's first and last word, and the tail's, with blanks."""
        return pa.schema([("tokens", _LIST), ("relations", _LIST)])

    @classmethod
    def source_columns(cls, source: SourceConfig) -> dict[str, str]:
        """Take `tokens_column`."""
        return {
            **super().source_columns(source),
            "tokens": source.columns.get("tokens", source.tokens_column),
        }

    @classmethod
    def guess(cls, sample: Sample) -> Guess | None:
        """Look for tokens and relations."""
        return tokens_and_relations(sample)

    @classmethod
    def rename(cls, columns: Mapping[str, pa.Array], renames: Mapping[str, str]) -> dict[str, pa.Array]:
        """Rename relations."""
        return {**columns, "relations": rename_triples(columns["relations"], renames)}

    def measure(self, columns: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
        """Count tokens, relations, and what is wrong with them."""
        tokens, relations = measure_tokens(columns["tokens"]), columns["relations"]
        found, rows = read_triples(relations), len(relations)
        lengths = pc.fill_null(tokens["tokens"], 0).to_numpy(zero_copy_only=False)[found.rows]
        known = pc.is_in(found.labels, value_set=pa.array(self.config.labels, pa.string())).to_numpy(False)
        first, last = found.spans[:, :, 0], found.spans[:, :, 1]
        wrong = ((first < 0) | (last < first) | (last >= lengths[:, None])).any(axis=1)
        counted = {"unread": found.labels.is_null().to_numpy(False), "unknown": ~known, "outside": wrong}
        return {
            **tokens,
            "relations": pc.list_value_length(relations),
            **{
                name: pa.array(np.bincount(found.rows, one, rows).astype(int))
                for name, one in counted.items()
            },
            "overlap": pa.array(overlapping(found, rows)),
        }

    @classmethod
    def texts(cls, rows: pa.Table) -> pa.ChunkedArray:
        """Join each row's tokens by a blank."""
        return pc.binary_join(rows["tokens"], " ")

    @classmethod
    def labels_of(cls, rows: pa.Table) -> pa.Table:
        """List the label of each relation."""
        found = read_triples(_relations(rows))
        return pa.table({"row": pa.array(found.rows, pa.int64()), "label": found.labels})

    def tagged(self, rows: pa.Table) -> pa.Table:
        """Give rows as the tagger takes them: `tokens`, and `tags` where there are relations.

        Raises:
            DataError: A relation is none of the labels.
        """
        tokens = rows.select(["tokens"])
        if "relations" not in rows.column_names:
            return tokens
        found = read_triples(_relations(rows))
        known = pc.is_in(found.labels, value_set=pa.array(self.config.labels, pa.string()))
        if not pc.all(known).as_py() and len(known):
            strange = _relations(rows).flatten().filter(pc.invert(known))
            raise DataError(
                f"Relation {strange[0].as_py()!r} is not of one of {', '.join(self.config.labels)} "
                f"({len(strange)} relations). Add it to `labels`, or rename it in the source's label_map."
            )
        lengths = pc.fill_null(pc.list_value_length(rows["tokens"].combine_chunks()), 0).to_numpy(False)
        tags = triples_to_tags(found, self.config.labels, lengths.astype(np.int64))
        names = pa.array(self.outputs, pa.string()).take(pa.array(tags.values, pa.int64()))
        lists = pa.ListArray.from_arrays(pa.array(tags.offsets, pa.int32()), names)
        return tokens.append_column("tags", lists)

    def joined(self, predictions: pa.Table) -> pa.Table:
        """Turn the tagger's predictions into relations."""
        tags = predictions["tags"].combine_chunks()
        ids = pc.index_in(tags.flatten(), value_set=pa.array(self.outputs, pa.string()))
        lengths = pc.list_value_length(tags).to_numpy(zero_copy_only=False)
        found = tags_to_triples(
            Ragged.from_lengths(ids.to_numpy(zero_copy_only=False), lengths), self.config.labels
        )
        relations = write_triples(found, predictions.num_rows)
        return pa.table({"relations": relations, "confidence": predictions["confidence"]})

    def encode(self, rows: pa.Table, tokenizer: "PreTrainedTokenizerBase", first_row: int = 0) -> Encoding:
        """Tokenize words; a word's first sub-word carries its role."""
        return self.tagger.encode(self.tagged(rows), tokenizer, first_row)

    def untaught(self, windows: pa.Table) -> tuple[str, ...]:
        """Name the relations of which a role never begins."""
        missing = {name.rpartition("/")[0] for name in self.tagger.untaught(windows)}
        return tuple(label for label in self.config.labels if label in missing)

    def loss(self, scores: "Tensor", labels: "Tensor") -> "Tensor":
        """Mean cross-entropy over words."""
        return self.tagger.loss(scores, labels)

    def decode(self, answers: Answers, rows: pa.Table) -> pa.Table:
        """Find the best valid tags and join them; the confidence is that of the least sure word."""
        return self.joined(self.tagger.decode(answers, rows.select(["tokens"])))

    def outcomes(self, rows: pa.Table, predictions: pa.Table) -> Outcomes:
        """Count the relations of each row that are found with all their ends, made up and missed."""
        if rows.num_rows != predictions.num_rows:
            raise DataError(
                f"{predictions.num_rows} predictions for {rows.num_rows} rows; score the rows that were "
                "predicted."
            )
        if "relations" not in rows.column_names or rows["relations"].null_count:
            raise DataError("Some rows have no relations; rows are scored against one list of them each.")
        counts = count_triples(_relations(rows), _relations(predictions))
        return Outcomes(counts, (counts[:, 1:] == 0).all(axis=1))

    def metrics(self, rows: pa.Table, predictions: pa.Table) -> dict[str, float]:
        """Score relations: strict F1, precision and recall, micro-averaged."""
        if not rows.num_rows:
            raise DataError("There are no rows to score; 1 is needed.")
        hits, wrong, missed = self.outcomes(rows, predictions).counts.sum(axis=0).tolist()
        return {
            "f1": 2 * hits / max(1, 2 * hits + wrong + missed),
            "precision": hits / max(1, hits + wrong),
            "recall": hits / max(1, hits + missed),
        }

    def show(self, rows: pa.Table, predictions: pa.Table) -> pa.Table:
        """Give `relations`, `confidence` and `tokens`."""
        shown = {name: predictions[name] for name in ("relations", "confidence")}
        return pa.table({**shown, "tokens": rows["tokens"]})


def _by_row(owners: np.ndarray, found: np.ndarray, rows: int) -> pa.Array:
    return pa.array(np.bincount(owners, found, rows).astype(np.int64))


def _relations(rows: pa.Table) -> pa.ListArray:
    return rows["relations"].combine_chunks().cast(_LIST)
