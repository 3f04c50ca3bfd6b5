from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from models.metrics.perplexity import perplexity
from models.pretrain.fit import pretrain
from models.pretrain.job import PretrainJob
from models.pretrain.networks import new_language_model
from models.pretrain.objectives import OBJECTIVES, make_objective
from models.pretrain.packing import pack, read_frequencies, read_texts
from models.pretrain.scoring import (
    gated,
    judged_texts,
    outcomes,
    score_by_frequency,
    score_of,
    score_texts,
)
from models.pretrain.store import load_pretrained_start
from models.randomization import micro_f1
from models.schemas.pretrain import PretrainConfig
from tests.models.pretrain.conftest import tokenizer_of

MakeConfig = Callable[..., PretrainConfig]


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_model_that_knows_nothing_is_as_unsure_as_a_guess(
    make_config: MakeConfig, documents: Path, tmp_path: Path, objective: str
):
    """The perplexity of new weights is as large as the vocabulary or so, however texts are batched."""
    config = make_config(objective=objective)
    tokenizer = tokenizer_of(config, documents)
    pack(config, documents, tokenizer, tmp_path)  # type: ignore[arg-type]
    model = new_language_model(config, tokenizer).model  # type: ignore[arg-type]
    found = []
    for tokens in (32, 4096):
        made = make_objective(config.model_copy(update={"tokens_per_batch": tokens}), tokenizer)  # type: ignore[arg-type]
        texts = read_texts(tmp_path, "test")
        nll, targets = score_texts(model, made, judged_texts(made, texts))
        found.append(nll)
    assert np.allclose(found[0], found[1], rtol=1e-4)
    table = outcomes(texts, nll, targets, model.config.vocab_size)
    metric = perplexity(table, 0)
    assert metric.low < metric.value < metric.high
    assert 0.5 < metric.value / model.config.vocab_size < 4


def test_every_word_is_a_target_once(make_config: MakeConfig, documents: Path, tmp_path: Path):
    """The targets of the passes over a text are its sub-words, also where it is cut into windows."""
    config = make_config(block_length=8, tokens_per_batch=64)
    tokenizer = tokenizer_of(config, documents)
    pack(config, documents, tokenizer, tmp_path)  # type: ignore[arg-type]
    objective = make_objective(config, tokenizer)  # type: ignore[arg-type]
    texts = read_texts(tmp_path, "test")
    _, targets = score_by_frequency(read_frequencies(tmp_path), objective, judged_texts(objective, texts))
    assert targets.tolist() == [len(ids) for ids in texts["input_ids"].to_pylist()]


def test_the_gates_counts_are_the_likelihoods():
    """Summed over any texts, micro F1 of the counts is the score that follows from the perplexity."""
    nll, targets = np.array([5.0, 40.0, 3.0]), np.array([4, 9, 2])
    counts = gated(nll, targets, 300)
    for some in ([0, 1, 2], [1], [0, 2]):
        score = score_of(nll[some], targets[some], 300)
        assert micro_f1(counts[some].sum(axis=0)) == pytest.approx(score)
        assert np.exp((1 - score) * np.log(300)) == pytest.approx(
            np.exp(nll[some].sum() / targets[some].sum())
        )


def test_a_trained_model_beats_word_frequencies(make_job: Callable[..., PretrainJob]):
    """On held-out texts with a grammar, predicting from context is better than from counts alone."""
    job = make_job(objective="causal_lm")
    report = pretrain(job)
    start = load_pretrained_start(Path(report.start.address))
    objective = make_objective(job.config, start.language.tokenizer)
    judged = judged_texts(objective, read_texts(Path(job.packed.address), "test"))
    nll, targets = score_texts(start.language.model, objective, judged)
    counted, same = score_by_frequency(read_frequencies(Path(job.packed.address)), objective, judged)
    assert np.array_equal(targets, same)
    assert nll.sum() < 0.9 * counted.sum()
