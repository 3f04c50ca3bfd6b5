"""Span denoising: which sub-words are dropped, and what stands in encoder and decoder instead.

Raffel et al., "Exploring the Limits of Transfer Learning with a Unified Text-to-Text Transformer", 2020,
arXiv:1910.10683, sec. 3.1.4 and 3.3.4.
"""

from dataclasses import dataclass

import numpy as np

from models.ragged import Ragged


@dataclass(frozen=True)
class Denoising:
    """What a batch of texts becomes.

    Args:
        inputs: Texts with one sentinel in the place of each dropped span, and the end.
        targets: The sentinels, each with the sub-words that were dropped there, and the end.
    """

    inputs: Ragged
    targets: Ragged


def choose_spans(lengths: np.ndarray, share: float, mean_span: float, rng: np.random.Generator) -> np.ndarray:
    """Choose spans to drop: `share` of each text, in spans of `mean_span` sub-words on average.

    Kept and dropped spans alternate, a kept one first, and each way to cut them is as likely as any other.

    Args:
        lengths: (texts,) sub-words of each text; none is dropped of a text of one.
        share: Share of the sub-words that are dropped (fraction, 0-1).
        mean_span: Mean length of a dropped span.
        rng: Draws the cuts.

    Returns:
        (sum of lengths,) bool.
    """
    dropped = np.zeros(int(lengths.sum()), bool)
    begins = np.concatenate([[0], np.cumsum(lengths)])[:-1]
    # Blocks are of one length, so that this loop has one turn a batch.
    for length in np.unique(lengths[lengths > 1]):
        texts = np.flatnonzero(lengths == length)
        noise = int(np.clip(round(length * share), 1, length - 1))
        spans = int(np.clip(round(noise / mean_span), 1, min(noise, length - noise)))
        kept = _cuts(len(texts), int(length) - noise, spans, rng)
        lost = _cuts(len(texts), noise, spans, rng)
        pairs = np.stack([kept, lost], axis=2).reshape(len(texts), -1)
        ends = np.cumsum(pairs, axis=1)
        flips = np.zeros((len(texts), int(length)), np.int64)
        np.put_along_axis(flips, ends[:, :-1], 1, axis=1)
        inside = np.cumsum(flips, axis=1) % 2 == 1
        dropped[begins[texts][:, None] + np.arange(length)] = inside
    return dropped


def denoise(ids: Ragged, dropped: np.ndarray, sentinels: np.ndarray, end: int) -> Denoising:
    """Put a sentinel in the place of each dropped span, and the span behind the same sentinel.

    Args:
        ids: Sub-words of texts.
        dropped: (total,) bool.
        sentinels: Sentinels in their order, as many as a text has spans at most.
        end: Sub-word that ends inputs and targets.
    """
    first = dropped & ~np.concatenate([[False], dropped[:-1]]) | dropped & (ids.places == 0)
    number = np.cumsum(first) - 1
    before = np.concatenate([[0], np.cumsum(first)])[ids.offsets[:-1]]
    marks = sentinels[np.where(dropped, number - np.repeat(before, ids.lengths), 0)]
    kept = ~dropped | first
    shown = Ragged(np.where(first, marks, ids.values), ids.offsets)
    inputs = _with_end(shown.values[kept], shown.owners[kept], len(ids.lengths), end)
    owners = np.repeat(ids.owners[dropped], 1 + first[dropped])
    values = np.repeat(ids.values[dropped], 1 + first[dropped])
    values[_firsts(first[dropped])] = marks[first]
    return Denoising(inputs, _with_end(values, owners, len(ids.lengths), end))


def _cuts(texts: int, total: int, parts: int, rng: np.random.Generator) -> np.ndarray:
    """Cut `total` into `parts` of at least 1, (texts, parts)."""
    places = np.argsort(rng.random((texts, total - 1)), axis=1)[:, : parts - 1] + 1
    edges = np.concatenate(
        [np.zeros((texts, 1), np.int64), np.sort(places, axis=1), np.full((texts, 1), total)], axis=1
    )
    return np.diff(edges, axis=1)


def _firsts(first: np.ndarray) -> np.ndarray:
    """Give the place of each span's sentinel among targets, where it stands before the span's first word."""
    places: np.ndarray = np.flatnonzero(first) + np.arange(int(first.sum()))
    return places


def _with_end(values: np.ndarray, owners: np.ndarray, texts: int, end: int) -> Ragged:
    """Put texts end to end again, each with `end` behind it."""
    lengths = np.bincount(owners, minlength=texts)
    whole = np.insert(values, np.cumsum(lengths), end)
    return Ragged.from_lengths(whole, lengths + 1)
