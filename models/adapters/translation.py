"""Texts into another language, by a seq2seq model."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from models.adapters.writing import Writing
from models.text_scores import chrf, corpus_scores


class Translation(Writing):
    """Translate texts; scored as sacrebleu does (Post 2018, arXiv:1804.08771).

    `sentence_chrf`, the mean chrF2 of texts (Popovic 2015), decides, since it can be compared row by row;
    `bleu` and `chrf` are the corpus scores of the field. All are fractions, 0-1.
    """

    name: ClassVar[str] = "translation"
    primary_metric: ClassVar[str] = "sentence_chrf"
    baselines: ClassVar[tuple[str, ...]] = ("copy", "nearest")

    def closeness(self, truth: Sequence[str], written: Sequence[str]) -> dict[str, np.ndarray]:
        """Give chrF2 of each text."""
        return {self.primary_metric: chrf(truth, written)}

    def corpus(self, truth: Sequence[str], written: Sequence[str]) -> dict[str, float]:
        """Give BLEU and chrF2 of the corpus."""
        return corpus_scores(truth, written)
