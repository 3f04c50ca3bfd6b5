from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional
from transformers import PreTrainedTokenizerBase

from models.adapters.base import IGNORED
from models.errors import ConfigError
from models.pretrain.networks import LanguageModel, new_language_model
from models.pretrain.objectives import OBJECTIVES, Objective, make_objective
from models.pretrain.packing import training_texts
from models.pretrain.tokenizers import train_tokenizer
from models.ragged import Ragged
from models.schemas.pretrain import PretrainConfig
from tests.models.pretrain.conftest import ragged

MakeConfig = Callable[..., PretrainConfig]
IDS = ragged([110, 111, 112, 113, 114, 115, 116], [120, 121, 122])


@pytest.fixture(params=list(OBJECTIVES))
def config(request: pytest.FixtureRequest, make_config: MakeConfig) -> PretrainConfig:
    """Describe a start of each objective."""
    return make_config(objective=request.param, masking_share=0.4, span_length=1)


@pytest.fixture
def language(config: PretrainConfig, documents: Path) -> LanguageModel:
    """Make its model."""
    return new_language_model(config, train_tokenizer(config, training_texts(documents)))


def _batch(objective: Objective, ids: Ragged = IDS, seed: int = 3) -> tuple[np.ndarray, object]:
    chosen = objective.choose(ids, np.random.default_rng(seed))
    return chosen, objective.batch(ids, chosen)


def test_there_is_one_loss_a_target(config: PretrainConfig, language: LanguageModel):
    """The losses are those of the labels, each finite and with a gradient."""
    objective = make_objective(config, language.tokenizer)
    _, batch = _batch(objective)
    losses = objective.losses(language.model, batch)  # type: ignore[arg-type]
    assert losses.shape == (batch.targets,)  # type: ignore[attr-defined]
    torch.autograd.backward(losses.sum())
    assert all(w.grad is None or torch.isfinite(w.grad).all() for w in language.model.parameters())


def test_padding_changes_no_loss(config: PretrainConfig, language: LanguageModel):
    """A text beside a longer one has the losses that it has alone."""
    objective, model = make_objective(config, language.tokenizer), language.model.eval()
    chosen, batch = _batch(objective)
    alone = objective.batch(ragged([120, 121, 122]), chosen[7:])
    together = objective.losses(model, batch)[-alone.targets :]  # type: ignore[arg-type]
    assert torch.allclose(objective.losses(model, alone), together, atol=1e-5)


def test_masked_logits_are_those_of_the_whole(make_config: MakeConfig, documents: Path):
    """Cutting the states down before the head gives the same losses as the whole table of logits."""
    config = make_config(masking_share=0.4)
    language = new_language_model(config, train_tokenizer(config, training_texts(documents)))
    objective, model = make_objective(config, language.tokenizer), language.model.eval()
    _, batch = _batch(objective)
    logits = model(batch.input_ids, batch.attention_mask).logits  # type: ignore[attr-defined]
    expected = functional.cross_entropy(
        logits.flatten(0, 1),
        batch.labels.flatten(),  # type: ignore[attr-defined]
        ignore_index=IGNORED,
        reduction="none",
    )
    chosen = batch.labels.flatten() != IGNORED  # type: ignore[attr-defined]
    assert torch.allclose(objective.losses(model, batch), expected[chosen], atol=1e-5)  # type: ignore[arg-type]


def test_masked_words_are_hidden_and_framed(make_config: MakeConfig, documents: Path):
    """Inputs show the mask where labels are, and the text elsewhere, between the special sub-words."""
    config = make_config()
    tokenizer = train_tokenizer(config, training_texts(documents))
    objective = make_objective(config, tokenizer)
    batch = objective.batch(ragged([110, 111], [120]), np.array([False, True, True]))
    first, last, mask = tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.mask_token_id
    assert batch.input_ids.tolist() == [[first, 110, mask, last], [first, mask, last, tokenizer.pad_token_id]]
    assert batch.labels.tolist() == [[IGNORED, IGNORED, 111, IGNORED], [IGNORED, 120, IGNORED, IGNORED]]
    assert batch.attention_mask is not None
    assert batch.attention_mask.tolist() == [[1, 1, 1, 1], [1, 1, 1, 0]]


def test_next_words_are_predicted_from_those_before(make_config: MakeConfig, documents: Path):
    """Labels are the inputs one place on; a judged text follows a separator and is followed by one."""
    config = make_config(objective="causal_lm")
    tokenizer = train_tokenizer(config, training_texts(documents))
    objective = make_objective(config, tokenizer)
    end = tokenizer.eos_token_id
    framed = objective.framed(ragged([110, 111], [120]))
    assert framed.values.tolist() == [end, 110, 111, end, end, 120, end]
    batch = objective.batch(framed, objective.choose(framed, np.random.default_rng(0)))
    assert batch.input_ids[0].tolist() == [end, 110, 111]
    assert batch.labels.tolist() == [[110, 111, end], [120, end, IGNORED]]


def test_sentinels_do_not_count(make_config: MakeConfig, documents: Path):
    """Of a decoder's labels those count that were dropped from the text."""
    config = make_config(objective="span_denoising")
    objective = make_objective(config, train_tokenizer(config, training_texts(documents)))
    batch = objective.batch(ragged([210, 211, 212, 213]), np.array([False, True, True, False]))
    labels = batch.labels.numpy()
    assert labels[objective.counted(labels)].tolist() == [211, 212]


def test_what_a_tokenizer_lacks_is_told(make_config: MakeConfig, tiny_models: dict[str, Path]):
    """A model without a mask, or without enough sentinels, is refused with what to do."""
    from models.encoder import load_tokenizer

    plain: PreTrainedTokenizerBase = load_tokenizer(str(tiny_models["seq2seq"]))
    with pytest.raises(ConfigError, match="masked_lm needs a sep_token"):
        make_objective(make_config(), plain)
    with pytest.raises(ConfigError, match="has 0 sentinels"):
        make_objective(make_config(objective="span_denoising"), plain)
