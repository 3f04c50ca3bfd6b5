"""A baseline for questions about a passage."""

import re
from typing import Self

import numpy as np
import pyarrow as pa

from models.adapters import TaskAdapter

_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_WORD = re.compile(r"\w+")


class LikestSentence:
    """Answer with the sentence of the passage that has most of the question's words.

    Args:
        adapter: Not used; all baselines are made alike.
    """

    def __init__(self, adapter: TaskAdapter) -> None:
        del adapter

    def fit(self, rows: pa.Table) -> Self:
        """Learn nothing."""
        del rows
        return self

    def predict(self, rows: pa.Table) -> pa.Table:
        """Give the first of the likest sentences; the share of the words it has is the confidence."""
        pairs = zip(rows["question"].to_pylist(), rows["context"].to_pylist(), strict=True)
        found = [_likest(question or "", context or "") for question, context in pairs]
        lists = [[text] if text else [] for text, _ in found]
        sure = np.array([share for _, share in found], np.float64)
        return pa.table({"answers": pa.array(lists, pa.list_(pa.string())), "confidence": sure})


def _likest(question: str, context: str) -> tuple[str, float]:
    wanted = set(_WORD.findall(question.lower()))
    sentences = _SENTENCE.split(context.strip())
    shares = [len(wanted & set(_WORD.findall(one.lower()))) / max(1, len(wanted)) for one in sentences]
    best = int(np.argmax(shares))
    return sentences[best], shares[best]
