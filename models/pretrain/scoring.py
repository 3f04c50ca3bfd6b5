"""How well a model predicts held-out texts: the same targets, hidden in the same way, for every model.

The outcomes table holds a line a text: `text_hash` (uint64), `slices` (list<string>), `nll` (float64, sum
over its targets), `targets` (int64), and what the gate compares (see `gated`): `tp`, `fp`, `fn` (float64),
`exact` (bool).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
import torch
from transformers import PreTrainedModel

from models.batching import Batch
from models.kernels import fast_linears, in_bfloat16
from models.pretrain.objectives import Objective
from models.ragged import Ragged

_SEED = 20261122
"""The masks that texts are judged by are nobody's choice, and the same for every start."""


@dataclass(frozen=True)
class Judged:
    """Held-out texts with what is predicted of them.

    Args:
        windows: Sub-words; a long text is cut into windows.
        folds: (total,) the pass in which each sub-word is predicted, -1 for none.
        texts: (windows,) the text that each window is of.
        count: Texts.
    """

    windows: Ragged
    folds: np.ndarray
    texts: np.ndarray
    count: int


def judged_texts(objective: Objective, texts: pa.Table) -> Judged:
    """Cut held-out texts into windows and choose what is predicted of them.

    Args:
        objective: What is predicted from what.
        texts: In TEXT_SCHEMA.
    """
    framed = objective.framed(Ragged.from_column(texts["input_ids"]))
    length = objective.body_length
    parts = -(-framed.lengths // length)
    owner = np.repeat(np.arange(len(parts)), parts)
    place = np.arange(len(owner)) - np.repeat(np.cumsum(parts) - parts, parts)
    sizes = np.minimum(length, framed.lengths[owner] - place * length)
    windows = Ragged.from_lengths(framed.values.astype(np.int64), sizes)
    folds = objective.folds(windows, np.random.default_rng(_SEED))
    return Judged(windows, folds, owner, len(parts))


def score_texts(
    model: PreTrainedModel,
    objective: Objective,
    judged: Judged,
    alive: Callable[[float], None] = lambda _: None,
) -> tuple[np.ndarray, np.ndarray]:
    """Add up each text's negative log-likelihood, and count its targets: (texts,) each.

    Args:
        model: Put into evaluation mode for the call and back after it.
        objective: What is predicted from what.
        judged: The texts.
        alive: Told the share that is done (0-1), often.
    """
    bfloat16 = in_bfloat16(objective.config.precision, model.device.type)

    def losses(batch: Batch) -> np.ndarray:
        with torch.autocast(model.device.type, torch.bfloat16, enabled=bfloat16):
            return objective.losses(model, batch.to(model.device)).double().cpu().numpy()

    was_training = model.training
    model.train(False)
    try:
        with torch.inference_mode(), fast_linears(model):
            at_once = min(
                objective.config.tokens_per_batch, objective.tokens_at_once(model.config.vocab_size)
            )
            return _added(objective, judged, losses, at_once, alive)
    finally:
        model.train(was_training)


def score_by_frequency(
    frequencies: np.ndarray, objective: Objective, judged: Judged
) -> tuple[np.ndarray, np.ndarray]:
    """Score texts by how often each sub-word stands in the training blocks, one added to each count."""
    chances = -np.log((frequencies + 1) / (frequencies.sum() + len(frequencies)))

    def losses(batch: Batch) -> np.ndarray:
        labels = batch.labels.numpy()
        return np.asarray(chances[labels[labels >= 0]])

    return _added(objective, judged, losses, objective.config.tokens_per_batch)


def outcomes(texts: pa.Table, nll: np.ndarray, targets: np.ndarray, vocabulary: int) -> pa.Table:
    """Write down what became of each text; see the module's docstring and `gated`."""
    counts = gated(nll, targets, vocabulary)
    return pa.table(
        {
            "text_hash": texts["text_hash"],
            "slices": texts["slices"],
            "nll": nll,
            "targets": pa.array(targets, pa.int64()),
            **dict(zip(("tp", "fp", "fn"), counts.T, strict=True)),
            "exact": np.zeros(len(nll), bool),
        }
    )


def gated(nll: np.ndarray, targets: np.ndarray, vocabulary: int) -> np.ndarray:
    """Turn likelihoods into counts whose micro F1 is the score of `score_of`: (texts, 3).

    A text whose T targets have the score s counts as (T s, T (1 - s), T (1 - s)). The sums' F1 is linear in
    the likelihoods, so the gate's paired test is one of the log-perplexity.
    """
    removed = targets - nll / np.log(vocabulary)
    left = targets - removed
    return np.stack([removed, left, left], axis=1)


def score_of(nll: np.ndarray, targets: np.ndarray, vocabulary: int) -> float:
    """Give the share of a uniform guess's uncertainty that is gone: 1 - ln(perplexity) / ln(vocabulary)."""
    return float(1 - nll.sum() / max(1, targets.sum()) / np.log(vocabulary))


def _added(
    objective: Objective,
    judged: Judged,
    losses: Callable[[Batch], np.ndarray],
    at_once: int,
    alive: Callable[[float], None] = lambda _: None,
) -> tuple[np.ndarray, np.ndarray]:
    """Add losses up by text, one pass after the other."""
    nll, targets = np.zeros(judged.count), np.zeros(judged.count, np.int64)
    for share, positions, batch in _batches(objective, judged, at_once):
        labels = batch.labels.numpy()
        counted = objective.counted(labels)
        owners = np.broadcast_to(judged.texts[positions][:, None], labels.shape)[counted]
        np.add.at(nll, owners, losses(batch)[counted[labels >= 0]])
        np.add.at(targets, owners, 1)
        alive(share)
    return nll, targets


def _batches(objective: Objective, judged: Judged, at_once: int) -> Iterator[tuple[float, np.ndarray, Batch]]:
    """Give batches of windows of like length, with the share that is done and the windows' numbers."""
    for fold in range(objective.passes):
        chosen = judged.folds == fold
        some = np.flatnonzero(np.bincount(judged.windows.owners, chosen, len(judged.texts)) > 0)
        order = some[np.argsort(-judged.windows.lengths[some], kind="stable")]
        first = 0
        while first < len(order):
            size = max(1, at_once // int(judged.windows.lengths[order[first]]))
            positions = order[first : first + size]
            share = (fold + first / len(order)) / objective.passes
            yield share, positions, objective.batch(*_taken(judged.windows, chosen, positions))
            first += size


def _taken(windows: Ragged, chosen: np.ndarray, positions: np.ndarray) -> tuple[Ragged, np.ndarray]:
    """Take some windows, and what is chosen of them."""
    take = partial(np.take, indices=_cells(windows, positions))
    return Ragged.from_lengths(take(windows.values), windows.lengths[positions]), take(chosen)


def _cells(windows: Ragged, positions: np.ndarray) -> np.ndarray:
    lengths = windows.lengths[positions]
    ends = np.cumsum(lengths)
    cells: np.ndarray = np.arange(int(lengths.sum())) + np.repeat(
        windows.offsets[positions] - ends + lengths, lengths
    )
    return cells
