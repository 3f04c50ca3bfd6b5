"""From a start and a handful of labelled texts to an agent's model, and to what it is likely to be worth.

A learner's classifier is linear in the features, so an adapted agent is an ordinary model: an encoder, with
the episode's own weights where the learner adapts them, and a head.
"""

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import torch
from transformers import PreTrainedTokenizerBase

from models.adapters import Shape, TaskAdapter
from models.episodes import Drawn, Episode, Kind, Pool
from models.errors import ConfigError
from models.learners import Network
from models.learners.base import Embedded
from models.meta.batches import RowReader, stacked
from models.meta.judging import opened
from models.meta.networks import put_back
from models.meta.pools import first_of_each, joined, name_ids
from models.meta.scoring import Start, embed_pool
from models.meta.store import StoredStart
from models.networks import EncoderNetwork
from models.ragged import Ragged

_KIND: Kind = "text_classification"
_MOST_FOLDS = 10


@dataclass(frozen=True)
class Examples:
    """Labelled rows, each with its one window.

    Args:
        rows: The adapter's columns, no text twice.
        windows: Windows in ENCODED_SCHEMA, one a row in the order of `rows`.
        unusable: Rows that were left out, by reason.
    """

    rows: pa.Table
    windows: pa.Table
    unusable: Mapping[str, int] = field(default_factory=dict)

    @property
    def labels(self) -> np.ndarray:
        """Give each row's class, (rows,)."""
        return Ragged.from_column(self.windows["labels"]).values


def check_learnable(adapter: str) -> None:
    """Refuse a task type that no start adapts to from a handful of examples.

    Raises:
        ConfigError: The agent's task is not text classification.
    """
    if adapter != _KIND:
        raise ConfigError(
            f"Adapting from a handful of examples works for {_KIND}, not for {adapter}; `quickstudy train` "
            "fine-tunes such an agent, from a start as well (`start: NAME`)."
        )


def read_examples(
    rows: pa.Table, adapter: TaskAdapter, tokenizer: PreTrainedTokenizerBase, *, names: bool = False
) -> Examples:
    """Tokenize rows; a long one counts up to its first window's end.

    Rows with the same sub-words count once, and one that is just the name of a class not at all where names
    are in the support: the answer would lie there.

    Args:
        rows: The adapter's columns.
        adapter: For texts with one class each.
        tokenizer: The start's.
        names: Whether the classes' names will be in the support.

    Raises:
        ConfigError: The agent's task is not text classification.
    """
    check_learnable(adapter.name)
    encoded = adapter.encode(rows, tokenizer)
    windows = encoded.windows.take(np.unique(encoded.windows["row"].to_numpy(), return_index=True)[1])
    ids = Ragged.from_column(windows["input_ids"])
    labels = adapter.config.labels if names else ()
    kept = first_of_each(joined(name_ids(labels, tokenizer), ids))[len(labels) :]
    unusable = dict(encoded.unusable)
    if not kept.all():
        unusable["same words as another example or a label's name"] = int((~kept).sum())
    windows = windows.filter(pa.array(kept))
    rows = rows.take(windows["row"])
    places = pa.array(np.arange(len(rows)), pa.int64())
    windows = windows.set_column(windows.column_names.index("row"), "row", places)
    return Examples(rows, windows, unusable)


@dataclass(frozen=True)
class Adaptation:
    """A start set up for one agent's examples.

    Args:
        start: Learner, networks and meta-parameters.
        reader: What gives the rows of the examples, and after them those of the classes' names.
        names: Rows of names, in the support of every adaptation.
        stored: The start as it was read.
    """

    start: Start
    reader: RowReader
    names: np.ndarray
    stored: StoredStart

    @classmethod
    def of(cls, stored: StoredStart, examples: Examples, classes: tuple[str, ...]) -> "Adaptation":
        """Set a start up; features that no adaptation changes are computed here, once."""
        ready, states = opened(stored, [_KIND])
        pool = _pool(examples, classes)
        count = len(pool)
        if stored.config.names:
            pool = _with_names_last(pool, stored.tokenizer)
        reader: RowReader = states.reader(pool)
        if not ready.learner.adapts_body:
            reader = embed_pool(ready.networks[_KIND], ready.seen(_KIND), states.reader(pool))
        return cls(ready, reader, np.arange(count, len(pool)), stored)

    @property
    def network(self) -> Network:
        """Give what computes features."""
        network = self.start.networks[_KIND]
        return network if self.start.learner.adapts_body else Embedded(network)

    def scores(self, support: np.ndarray, query: np.ndarray) -> np.ndarray:
        """Adapt to some rows and score others, (query, classes) logits."""
        batch = stacked([self._episode(support, query)], [self.reader])
        found: np.ndarray = self.start.learner.predict(self.network, self.start.seen(_KIND), batch)[0].numpy()
        return found

    def model(self, rows: np.ndarray) -> EncoderNetwork:
        """Adapt to some rows and give the agent's model."""
        learner, params = self.start.learner, self.start.seen(_KIND)
        batch = stacked([self._episode(rows, rows[:1])], [self.reader])
        inputs = tuple(x[0] for x in batch.support.inputs)
        with torch.no_grad():
            support = batch.support._replace(inputs=inputs, targets=batch.support.targets[0])
            adapted = learner.adapt(self.network, params, support, batch.n_way)
            weight, bias = learner.linear_head(params, adapted)
            encoder = copy.deepcopy(self.stored.encoder)  # the networks' own weights lie in that one
            weights = self.start.networks[_KIND].weights(params | adapted)
            put_back(encoder, self.stored.config.meta_layers, weights)
            model = EncoderNetwork(encoder, Shape(len(weight), pools=True), unit=True)
            model.head.weight.copy_(weight)
            model.head.bias.copy_(bias)
        return model.eval()

    def _episode(self, support: np.ndarray, query: np.ndarray) -> Episode:
        labels = self.reader.pool.labels.values
        shown = np.concatenate([support, self.names])
        classes = np.arange(len(self.reader.pool.classes))
        return Episode(0, classes, Drawn(shown, labels[shown]), Drawn(query, labels[query]))


def cross_validated(
    adaptation: Adaptation, labels: np.ndarray, seed: int, show: Callable[[float], None] = lambda _: None
) -> tuple[np.ndarray, np.ndarray]:
    """Score each example by a model that was adapted to the others.

    Examples of a class take turns: in as many folds as the largest class has examples, at most ten. A class's
    only example is asked about where its name says something of it; else nobody could know its class.

    Args:
        adaptation: The start, set up.
        labels: (rows,) classes.
        seed: Seed of the folds.
        show: Told the share that is done (fraction, 0-1).

    Returns:
        The rows that were asked about, and their logits (rows, classes).
    """
    asked, logits = [np.empty(0, np.int64)], [np.empty((0, len(adaptation.reader.pool.classes)), np.float32)]
    all_folds = list(folds(labels, seed, named=len(adaptation.names) > 0))
    for number, query in enumerate(all_folds):
        support = np.setdiff1d(np.arange(len(labels)), query)
        asked.append(query)
        logits.append(adaptation.scores(support, query))
        show((number + 1) / len(all_folds))
    order = np.argsort(np.concatenate(asked), kind="stable")
    return np.concatenate(asked)[order], np.concatenate(logits)[order]


def folds(labels: np.ndarray, seed: int, *, named: bool = False) -> Iterator[np.ndarray]:
    """Deal the rows of each class out to folds; a class's only row is in none, unless classes have names."""
    counts = np.bincount(labels)
    order = np.random.default_rng(seed).permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    turn = np.arange(len(labels)) - np.repeat(np.cumsum(counts) - counts, counts)
    alone = counts == 1
    many = min(_MOST_FOLDS, max(int(counts.max(initial=0)), int(alone.sum()) if named else 0))
    # Rows that are alone go to different folds, so that most classes show an example in each.
    turn += np.where(alone, np.cumsum(alone) - 1, 0)[labels[order]]
    fold = np.full(len(labels), -1)
    fold[order] = np.where(named | ~alone[labels[order]], turn % max(many, 1), -1)
    for number in range(many):
        rows = np.flatnonzero(fold == number)
        if len(rows):
            yield rows


def _pool(examples: Examples, classes: tuple[str, ...]) -> Pool:
    count = len(examples.rows)
    return Pool(
        name="examples",
        domain="examples",
        kind=_KIND,
        classes=classes,
        ids=Ragged.from_column(examples.windows["input_ids"]),
        labels=Ragged.from_column(examples.windows["labels"]),
        marks=np.zeros((count, 0), np.int64),
        named=np.zeros(count, bool),
    )


def _with_names_last(pool: Pool, tokenizer: PreTrainedTokenizerBase) -> Pool:
    """Add the classes' names after the examples, so that these keep their numbers."""
    count, total = len(pool), len(pool) + len(pool.classes)
    labels = np.concatenate([pool.labels.values, np.arange(len(pool.classes))])
    return replace(
        pool,
        ids=joined(pool.ids, name_ids(pool.classes, tokenizer)),
        labels=Ragged.from_lengths(labels, np.ones(total, np.int64)),
        marks=np.zeros((total, 0), np.int64),
        named=np.arange(total) >= count,
    )
