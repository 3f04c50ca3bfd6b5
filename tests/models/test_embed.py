"""Embeddings by a frozen encoder."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from models.embed import embed
from models.encoder import load_encoder


@pytest.fixture(scope="module")
def encoder(tiny_encoder: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Give the tiny encoder and its tokenizer."""
    return load_encoder(str(tiny_encoder))


def test_each_text_has_the_mean_of_its_words(encoder: tuple[PreTrainedModel, PreTrainedTokenizerBase]):
    """One text alone gives the mean of the last layer."""
    model, tokenizer = encoder
    inputs = tokenizer("so good", return_tensors="pt")
    with torch.inference_mode():
        expected = model.eval()(input_ids=inputs["input_ids"]).last_hidden_state[0].mean(0).numpy()
    assert embed(["so good"], model, tokenizer)[0] == pytest.approx(expected, abs=1e-5)


def test_neighbours_in_a_batch_do_not_matter(encoder: tuple[PreTrainedModel, PreTrainedTokenizerBase]):
    """Texts of any length come back in their order, as if each were alone."""
    texts = ["short", "a much longer text with many words", "", "middle sized text"] * 12
    together = embed(texts, *encoder)
    assert together.shape == (48, 16)
    for text, row in zip(texts[:4], together, strict=False):
        assert embed([text], *encoder)[0] == pytest.approx(row, abs=1e-5)


def test_the_encoder_is_left_as_it_was(encoder: tuple[PreTrainedModel, PreTrainedTokenizerBase]):
    """A model in training mode goes on in training mode, and dropout played no part."""
    model, tokenizer = encoder
    model.train()
    first, again = embed(["text"], model, tokenizer), embed(["text"], model, tokenizer)
    assert model.training
    assert np.array_equal(first, again)
    model.train(False)


def test_no_texts_give_no_rows(encoder: tuple[PreTrainedModel, PreTrainedTokenizerBase]):
    """An empty window has embeddings of shape (0, dim)."""
    assert embed([], *encoder).shape == (0, 16)
