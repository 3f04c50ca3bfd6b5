"""One BIO tag a word, such as the parts of an address or names in a sentence."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.adapters.base import ENCODED_SCHEMA, IGNORED, Answers, Encoding, Outcomes, TaskAdapter
from models.adapters.bio import OUTSIDE, best_valid_tags, count_matches
from models.adapters.entities import join_entities
from models.adapters.guesses import tokens_and_tags
from models.adapters.rows import ENCODING, Check, Guess, Rule, Sample
from models.adapters.tag_columns import list_entity_types, map_tags, measure_tags
from models.adapters.taught import count_outputs
from models.adapters.windows import Windows, cut_windows
from models.errors import DataError
from models.ragged import Ragged
from models.schemas import SourceConfig

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedTokenizerBase


class TokenClassification(TaskAdapter):
    """Tag words; a word's first sub-word carries its tag, decoded so that tags are valid IOB2."""

    name: ClassVar[str] = "token_classification"
    primary_metric: ClassVar[str] = "f1"
    pools: ClassVar[bool] = False
    reads_words: ClassVar[bool] = True
    checks: ClassVar[tuple[Check, ...]] = (
        Check("tokens", Rule.SOME, "no tokens"),
        Check("tags"),
        Check("empty_tokens", Rule.NONE, "empty token"),
        Check("damaged_tokens", Rule.NONE, ENCODING),
        Check("surplus", Rule.NONE, "different numbers of tokens and tags"),
        Check("unknown_tags", Rule.NONE, "unknown tag"),
        Check("broken_bio", Rule.NONE, "invalid BIO"),
    )
    softmax: ClassVar[bool] = True
    perturbed: ClassVar[str | None] = "tokens"
    scorer: ClassVar[str] = "tags"
    baselines: ClassVar[tuple[str, ...]] = ("frequent_tag", "crf")
    label_word: ClassVar[str] = "entity type"

    @property
    def outputs(self) -> tuple[str, ...]:
        """Name O and then B- and I- of each entity type in the config's order."""
        return ("O", *(f"{prefix}-{label}" for label in self.config.labels for prefix in "BI"))

    @classmethod
    def columns(cls) -> pa.Schema:
        """Give `tokens` and `tags`."""
        return pa.schema([("tokens", pa.list_(pa.string())), ("tags", pa.list_(pa.string()))])

    @classmethod
    def source_columns(cls, source: SourceConfig) -> dict[str, str]:
        """Take `tokens_column` and `tags_column`."""
        return {"tokens": source.tokens_column, "tags": source.tags_column}

    @classmethod
    def guess(cls, sample: Sample) -> Guess | None:
        """Look for BIO tags and as many tokens."""
        return tokens_and_tags(sample)

    @classmethod
    def rename(cls, columns: Mapping[str, pa.Array], renames: Mapping[str, str]) -> dict[str, pa.Array]:
        """Rename entity types; one renamed to O is no entity."""
        return {"tokens": columns["tokens"], "tags": map_tags(columns["tags"], renames)}

    def measure(self, columns: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
        """Count, row by row, tokens, tags and what is wrong with them."""
        return measure_tags(columns["tokens"], columns["tags"], self.config.labels)

    @classmethod
    def texts(cls, rows: pa.Table) -> pa.ChunkedArray:
        """Join each row's tokens by a blank."""
        return pc.binary_join(rows["tokens"], " ")

    @classmethod
    def labels_of(cls, rows: pa.Table) -> pa.Table:
        """List the type of each entity, told by its B- tag."""
        return list_entity_types(rows["tags"])

    def encode(self, rows: pa.Table, tokenizer: "PreTrainedTokenizerBase", first_row: int = 0) -> Encoding:
        """Tokenize words; words and rows that leave no sub-word are counted and not learned from."""
        tags = self._tag_ids(rows, self.outputs)
        windows = cut_windows(_words(rows).to_pylist(), tokenizer, self.config)
        row_of_value = windows.rows[windows.ids.owners]
        words = np.where(windows.starts, windows.words, -1)
        labels = np.full(len(words), IGNORED)
        place = tags.offsets[row_of_value[windows.starts]] + words[windows.starts]
        labels[windows.starts] = tags.values[place]
        usable = np.bincount(windows.ids.owners, windows.starts, len(windows.rows)) > 0
        table = pa.table(
            [
                pa.array(windows.rows[usable] + first_row, pa.int64()),
                windows.ids.keep(usable).to_arrow(pa.int32()),
                Ragged(labels, windows.ids.offsets).keep(usable).to_arrow(pa.int32()),
                Ragged(words, windows.ids.offsets).keep(usable).to_arrow(pa.int32()),
            ],
            schema=ENCODED_SCHEMA,
        )
        return Encoding(table, _unusable(tags, windows, place))

    def untaught(self, windows: pa.Table) -> tuple[str, ...]:
        """Name the entity types that never begin; that one never goes on is no fault."""
        begins = count_outputs(windows, len(self.outputs))[1::2]
        return tuple(name for name, count in zip(self.config.labels, begins, strict=True) if not count)

    def loss(self, scores: "Tensor", labels: "Tensor") -> "Tensor":
        """Mean cross-entropy over words: scores (windows, length, outputs), labels (windows, length)."""
        import torch

        total = torch.nn.functional.cross_entropy(
            scores.float().flatten(0, -2), labels.flatten(), ignore_index=IGNORED, reduction="sum"
        )
        return total / (labels != IGNORED).sum().clamp(min=1)

    def decode(self, answers: Answers, rows: pa.Table) -> pa.Table:
        """Take each word's scores from the window where it has most context, then the best valid tags.

        A word without sub-words has equal scores: it becomes O unless it lies inside an entity.
        """
        lengths = Ragged.from_column(_words(rows)).lengths
        scores = self._word_scores(answers, lengths)
        tags = best_valid_tags(scores, lengths)
        chance = np.exp(scores[np.arange(len(tags)), tags])
        lowest = np.ones(len(lengths))
        np.minimum.at(lowest, np.repeat(np.arange(len(lengths)), lengths), chance)
        named = pa.array(self.outputs, pa.string()).take(pa.array(tags, pa.int64()))
        offsets = Ragged.from_lengths(chance, lengths)
        return pa.table(
            {
                "tags": pa.ListArray.from_arrays(pa.array(offsets.offsets, pa.int32()), named),
                "confidence": pa.array(lowest, pa.float64()),
                "confidences": offsets.to_arrow(pa.float64()),
            }
        )

    def outcomes(self, rows: pa.Table, predictions: pa.Table) -> Outcomes:
        """Count the entities of each row that are found, made up and missed."""
        truth, predicted = self._pairs(rows, predictions)
        wrong = np.bincount(truth.owners, truth.values != predicted.values, rows.num_rows)
        return Outcomes(count_matches(truth, predicted), wrong == 0)

    def metrics(self, rows: pa.Table, predictions: pa.Table) -> dict[str, float]:
        """Score entities by seqeval in strict IOB2: F1, precision and recall, micro-averaged."""
        from seqeval.metrics.v1 import precision_recall_fscore_support
        from seqeval.scheme import IOB2

        self._pairs(rows, predictions)
        truth, predicted = rows["tags"].to_pylist(), predictions["tags"].to_pylist()
        if not truth:
            raise DataError("There are no rows to score; 1 is needed.")
        score: Any = precision_recall_fscore_support
        precision, recall, f1, _ = score(truth, predicted, average="micro", scheme=IOB2, zero_division=0)
        return {"f1": float(f1), "precision": float(precision), "recall": float(recall)}

    def show(self, rows: pa.Table, predictions: pa.Table) -> pa.Table:
        """Give `tokens`, `tags`, `confidence`, `confidences` and `entities`."""
        shown = {name: predictions[name] for name in ("tags", "confidence", "confidences")}
        tags = self._tag_ids(predictions, self.outputs)
        entities = join_entities(rows["tokens"].combine_chunks(), tags, self.config.labels)
        return pa.table({"tokens": rows["tokens"], **shown, "entities": entities})

    def _word_scores(self, answers: Answers, lengths: np.ndarray) -> np.ndarray:
        """Give the log-probabilities of all rows' words laid end to end, (words, outputs)."""
        from scipy.special import log_softmax

        offsets = np.cumsum(lengths) - lengths
        scores = np.full((int(lengths.sum()), len(self.outputs)), -np.log(len(self.outputs)))
        if not len(answers.values):
            return scores
        words = Ragged.from_column(answers.windows["words"])
        starts = words.values >= 0
        row_of_value = answers.windows["row"].to_numpy()[words.owners]
        word = offsets[row_of_value[starts]] + words.values[starts]
        context = np.minimum(words.places, words.lengths[words.owners] - 1 - words.places)[starts]
        # Sorted by word and then by context, least context first: the last of each word is the best one.
        order = np.lexsort((-np.arange(len(word)), context, word))
        last = order[np.append(np.diff(word[order]) != 0, True)]
        chosen = np.concatenate(answers.values)[starts][last]
        scores[word[last]] = log_softmax(chosen.astype(np.float64), axis=1)
        return scores

    def _pairs(self, rows: pa.Table, predictions: pa.Table) -> tuple[Ragged, Ragged]:
        if "tags" not in rows.column_names or rows["tags"].null_count:
            raise DataError("Some rows have no tags; rows are scored against one list of tags each.")
        truth = self._tag_ids(rows, self.outputs)
        predicted = self._tag_ids(predictions, self._with_strange(predictions["tags"]))
        if not np.array_equal(truth.offsets, predicted.offsets):
            raise DataError(
                f"There are {len(predicted.values)} predicted tags for {predictions.num_rows} rows and "
                f"{len(truth.values)} true ones for {rows.num_rows}; each row needs as many. Score the rows "
                "that were predicted."
            )
        return truth, predicted

    def _with_strange(self, tags: pa.ChunkedArray) -> tuple[str, ...]:
        """Name the outputs, then the tags of types that only a model of an earlier label set knows."""
        flat = pc.list_flatten(tags.combine_chunks().cast(pa.list_(pa.string())))
        types = pc.utf8_slice_codeunits(flat.filter(pc.match_substring_regex(flat, "^[BI]-")), 2)
        strange = [one for one in pc.unique(types).to_pylist() if one not in self.config.labels]
        return (*self.outputs, *(f"{prefix}-{one}" for one in strange for prefix in "BI"))

    def _tag_ids(self, rows: pa.Table, names: tuple[str, ...]) -> Ragged:
        """Give each row's tags as places in `names`; IGNORED for the words of a row without tags."""
        words = _words(rows) if "tokens" in rows.column_names else rows["tags"].combine_chunks()
        lengths = Ragged.from_column(words).lengths
        if "tags" not in rows.column_names:
            return Ragged.from_lengths(np.full(int(lengths.sum()), IGNORED), lengths)
        tags = rows["tags"].combine_chunks().cast(pa.list_(pa.string()))
        given = pc.fill_null(pc.list_value_length(tags), -1).to_numpy(zero_copy_only=False)
        unequal = np.flatnonzero((given != lengths) & (given >= 0))
        if len(unequal):
            raise DataError(
                f"Row {unequal[0]} has {given[unequal[0]]} tags for {lengths[unequal[0]]} tokens "
                f"({len(unequal)} such rows); each token needs one tag."
            )
        ids = np.full(int(lengths.sum()), IGNORED)
        ids[np.repeat(given >= 0, lengths)] = self._known(pc.list_flatten(tags), names)
        return Ragged.from_lengths(ids, lengths)

    def _known(self, tags: pa.Array, names: tuple[str, ...]) -> np.ndarray:
        found = pc.index_in(tags, value_set=pa.array(names, pa.string()))
        if found.null_count:
            unknown = tags.filter(pc.is_null(found))
            raise DataError(
                f"Tag {unknown[0].as_py()!r} is not O or B-/I- of one of {', '.join(self.config.labels)} "
                f"({len(unknown)} tags). Add its type to `labels`, or rename it in the source's label_map."
            )
        ids: np.ndarray = found.to_numpy(zero_copy_only=False)
        return ids


def _words(rows: pa.Table) -> pa.ListArray:
    """Give the tokens as a list column without nulls, in which offsets start at 0."""
    column = rows["tokens"].combine_chunks().cast(pa.list_(pa.string()))
    tokens = pc.fill_null(pc.list_flatten(column), "")
    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[OUTSIDE], np.cumsum(lengths)])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), tokens)


def _unusable(tags: Ragged, windows: Windows, seen: np.ndarray) -> dict[str, int]:
    rows = len(tags.lengths) - len(np.unique(windows.rows[windows.ids.owners[windows.starts]]))
    words = len(tags.values) - len(np.unique(seen))
    counts = {"row without sub-words": rows, "word without sub-words": words}
    return {reason: count for reason, count in counts.items() if count}
