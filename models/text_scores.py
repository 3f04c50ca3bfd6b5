"""How close texts are to the true ones: the field's own programs, sacrebleu and rouge-score."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from models.errors import ConfigError


def chrf(truth: Sequence[str], written: Sequence[str]) -> np.ndarray:
    """Give the chrF2 of each text: F2 of character n-grams up to 6, (texts,) fractions.

    Popovic, "chrF: character n-gram F-score for automatic MT evaluation", WMT 2015.

    Raises:
        ConfigError: sacrebleu is not installed.
    """
    metric = _sacrebleu().CHRF()
    pairs = zip(written, truth, strict=True)
    return np.array([metric.sentence_score(one, [other]).score / 100 for one, other in pairs])


def corpus_scores(truth: Sequence[str], written: Sequence[str]) -> dict[str, float]:
    """Give `bleu` and `chrf` of a corpus as sacrebleu counts them by default, as fractions.

    Raises:
        ConfigError: sacrebleu is not installed.
    """
    metrics = _sacrebleu()
    scores = {"bleu": metrics.BLEU(), "chrf": metrics.CHRF()}
    return {n: m.corpus_score(list(written), [list(truth)]).score / 100 for n, m in scores.items()}


def rouge(truth: Sequence[str], written: Sequence[str]) -> dict[str, np.ndarray]:
    """Give F1 of `rouge1`, `rouge2` and `rougeL` of each text, with stemming, (texts,) fractions.

    Lin, "ROUGE: A Package for Automatic Evaluation of Summaries", ACL 2004 workshop.

    Raises:
        ConfigError: rouge-score is not installed.
    """
    names = ("rouge1", "rouge2", "rougeL")
    scorer = _rouge_scorer().RougeScorer(list(names), use_stemmer=True)
    found = [scorer.score(one, other) for one, other in zip(truth, written, strict=True)]
    return {name: np.array([one[name].fmeasure for one in found]) for name in names}


def _sacrebleu() -> Any:  # noqa: ANN401 - untyped
    try:
        import sacrebleu.metrics
    except ImportError as error:
        raise ConfigError(_missing("sacrebleu")) from error
    return sacrebleu.metrics


def _rouge_scorer() -> Any:  # noqa: ANN401 - untyped
    try:
        from rouge_score import rouge_scorer
    except ImportError as error:
        raise ConfigError(_missing("rouge-score")) from error
    return rouge_scorer


def _missing(package: str) -> str:
    return (
        f"Texts are scored by {package}, which is not installed. Install it: pip install 'quickstudy[text]'."
    )
