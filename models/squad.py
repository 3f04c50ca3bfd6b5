"""How SQuAD scores answers: exact match and F1 of words, after normalization, the best over the true ones.

Rajpurkar et al., "SQuAD: 100,000+ Questions for Machine Comprehension of Text", 2016, arXiv:1606.05250, and
"Know What You Don't Know", 2018, arXiv:1806.03822 for questions without an answer.
"""

import re
import string
from collections import Counter
from collections.abc import Sequence

import numpy as np

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def squad_scores(truth: Sequence[Sequence[str]], given: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Score answers.

    Args:
        truth: The right answers of each question; none where it has no answer.
        given: The answer given to each; an empty one says that there is none.

    Returns:
        Exact matches (bool) and F1 (fractions, 0-1), (questions,) each.
    """
    scores = [_best(right or [""], one) for right, one in zip(truth, given, strict=True)]
    pairs = np.array(scores, np.float64).reshape(-1, 2)
    return pairs[:, 0] == 1, pairs[:, 1]


def normalize(text: str) -> str:
    """Lower the case, and take out punctuation, articles and superfluous white space."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def _best(right: Sequence[str], given: str) -> tuple[float, float]:
    words = normalize(given)
    others = [normalize(one) for one in right]
    return float(words in others), max(_f1(other.split(), words.split()) for other in others)


def _f1(truth: list[str], given: list[str]) -> float:
    if not truth or not given:
        return float(truth == given)
    common = (Counter(truth) & Counter(given)).total()
    return 2 * common / (len(truth) + len(given))
