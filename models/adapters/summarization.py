"""Texts into summaries of them, by a seq2seq model."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from models.adapters.guesses import text_and_target
from models.adapters.rows import Guess, Sample
from models.adapters.writing import Writing
from models.text_scores import rouge


class Summarization(Writing):
    """Sum texts up; scored by rouge-score with stemming (Lin 2004).

    `rougeL`, the F1 of the longest common subsequence, decides; `rouge1` and `rouge2` count words and pairs
    of words. All are means over the rows (fractions, 0-1).
    """

    name: ClassVar[str] = "summarization"
    primary_metric: ClassVar[str] = "rougeL"
    baselines: ClassVar[tuple[str, ...]] = ("lead", "nearest")

    @classmethod
    def guess(cls, sample: Sample) -> Guess | None:
        """Look for a column of summaries, by its usual names, and one of longer texts."""
        return text_and_target(sample, ("summary", "highlights", "tldr"))

    def closeness(self, truth: Sequence[str], written: Sequence[str]) -> dict[str, np.ndarray]:
        """Give the three F1 of each text."""
        return rouge(truth, written)
