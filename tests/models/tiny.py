"""Models that load in milliseconds."""

import shutil
from pathlib import Path

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing
from transformers import (
    BertConfig,
    BertModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
)

from models.encoder import encoder_folder
from models.pretrained import DEFAULT_ENCODER, quiet


def store_tiny_encoder(folder: Path) -> None:
    """Store a one-layer BERT (16 dimensions, 64 positions) with MiniLM's tokenizer."""
    config = BertConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
    )
    with quiet(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    bundled = encoder_folder(DEFAULT_ENCODER)
    assert bundled is not None
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(bundled / name, folder / name)


WORDS = (
    *("a", "good", "film", "dull", "so", "ein", "guter", "Film", "langweilig", "the", "user", "says"),
    *(".", "=", ";", "none"),
)
_SPECIAL = ("<pad>", "</s>", "<unk>", "<s>")
_CHAT = (
    "{% for m in messages %}<s> {{ m['role'] }} {{ m['content'] }} </s> {% endfor %}"
    "{% if add_generation_prompt %}<s> assistant {% endif %}"
)


def store_tiny_seq2seq(folder: Path) -> None:
    """Store a one-layer T5 (16 dimensions) whose words are WORDS."""
    size = len(WORDS) + len(_SPECIAL)
    config = T5Config(
        vocab_size=size, d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2, decoder_start_token_id=0
    )
    with quiet(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        T5ForConditionalGeneration(config).save_pretrained(folder)
    _store_words(folder, ends=True)


def store_tiny_causal(folder: Path) -> None:
    """Store a one-layer Llama (16 dimensions) whose words are WORDS, with a chat template."""
    config = LlamaConfig(
        vocab_size=len(WORDS) + len(_SPECIAL),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=64,
        tie_word_embeddings=True,
        pad_token_id=0,
        bos_token_id=3,
        eos_token_id=1,
    )
    with quiet(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        LlamaForCausalLM(config).save_pretrained(folder)
    _store_words(folder, ends=False)


def _store_words(folder: Path, *, ends: bool) -> None:
    """Store a tokenizer of whole words; one that ends texts puts </s> behind each."""
    vocabulary = {word: i for i, word in enumerate([*_SPECIAL, *WORDS])}
    words = Tokenizer(WordLevel(vocabulary, unk_token="<unk>"))
    words.pre_tokenizer = Whitespace()
    if ends:
        words.post_processor = TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=words,
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        bos_token="<s>",
        model_max_length=64,
    )
    if not ends:
        wrapped.chat_template = _CHAT
    wrapped.save_pretrained(folder)
