"""The best span of each row among the windows that its passage was cut into."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class BestSpans:
    """The best span of each row.

    Args:
        first: (rows,) place of its first sub-word among all windows' end to end; -1 where there is none.
        last: (rows,) place of its last sub-word.
        score: (rows,) sum of the two sub-words' scores; -inf where there is no span.
        chance: (rows,) the product of their probabilities among all sub-words of the row's windows.
    """

    first: np.ndarray
    last: np.ndarray
    score: np.ndarray
    chance: np.ndarray


def best_spans(scores: np.ndarray, windows: np.ndarray, row_of: np.ndarray, most: int) -> BestSpans:
    """Find each row's span of the highest score (Devlin et al. 2019, arXiv:1810.04805, sec. 4.2).

    All windows are looked at together, one length of span after the other.

    Args:
        scores: (total, 2) scores of each sub-word as the first and as the last one; -inf outside of the
            passage.
        windows: (total,) window of each sub-word, ascending.
        row_of: (windows,) row of each window, ascending.
        most: Longest span in sub-words.
    """
    total, rows = len(scores), int(row_of.max(initial=-1)) + 1
    best, length = np.full(total, -np.inf), np.zeros(total, np.int64)
    for more in range(min(most, total)):
        found = scores[: total - more, 0] + scores[more:, 1]
        found[windows[: total - more] != windows[more:]] = -np.inf
        better = found > best[: total - more]
        best[: total - more][better], length[: total - more][better] = found[better], more
    owner = row_of[windows]
    # Sorted by row and then by score, the first place last among equals: the last of each row is its best.
    order = np.lexsort((-np.arange(total), best, owner))
    ends = order[np.append(np.diff(owner[order]) != 0, True)] if total else order
    first, score = np.full(rows, -1), np.full(rows, -np.inf)
    first[owner[ends]], score[owner[ends]] = ends, best[ends]
    first[~np.isfinite(score)] = -1
    last = np.where(first >= 0, first + length[first], -1)
    return BestSpans(first, last, score, _chance(scores, owner, first, last))


def _chance(scores: np.ndarray, owner: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    chance = np.zeros(len(first))
    there = first >= 0
    if not there.any():
        return chance
    logs = np.zeros(len(first))
    for column, place in ((0, first), (1, last)):
        values = scores[:, column]
        top = np.full(len(first), -np.inf)
        np.maximum.at(top, owner, values)
        sums = np.zeros(len(first))
        np.add.at(sums, owner, np.exp(values - np.where(np.isfinite(top), top, 0)[owner]))
        logs[there] += values[place[there]] - top[there] - np.log(sums[there])
    chance[there] = np.exp(logs[there])
    return chance
