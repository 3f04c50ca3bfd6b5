"""A tokenizer trained on the texts, for a model that is made anew."""

from collections.abc import Iterable
from typing import Any

from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers, processors, trainers
from tokenizers import models as kinds
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from models.errors import DataError
from models.schemas.pretrain import PretrainConfig

_SENTINELS = tuple(f"<extra_id_{i}>" for i in range(100))
_NAMED = {
    "masked_lm": {
        "pad_token": "[PAD]",
        "unk_token": "[UNK]",
        "cls_token": "[CLS]",
        "sep_token": "[SEP]",
        "mask_token": "[MASK]",
    },
    "causal_lm": {"pad_token": "<pad>", "unk_token": "<unk>", "eos_token": "</s>"},
    "span_denoising": {"pad_token": "<pad>", "unk_token": "<unk>", "eos_token": "</s>"},
}
"""Special sub-words by what transformers calls them; the padding has the id 0."""


def train_tokenizer(config: PretrainConfig, texts: Iterable[list[str]]) -> PreTrainedTokenizerBase:
    """Train a tokenizer of the described kind and size.

    Args:
        config: Kind, size, and the objective that says which special sub-words there are.
        texts: Lists of training texts, read once.

    Raises:
        DataError: The texts hold too little for any sub-word.
    """
    named = _NAMED[config.objective]
    special = [*named.values(), *(_SENTINELS if config.objective == "span_denoising" else ())]
    tokenizer, trainer = _parts(config, named["unk_token"], special)
    tokenizer.train_from_iterator(texts, trainer)
    if tokenizer.get_vocab_size() <= len(special):
        raise DataError("The training texts hold no words to make sub-words of; add texts.")
    tokenizer.post_processor = _frame(config.objective, tokenizer)
    extra = list(_SENTINELS) if config.objective == "span_denoising" else []
    make: Any = PreTrainedTokenizerFast
    made: PreTrainedTokenizerBase = make(
        tokenizer_object=tokenizer,
        **named,
        additional_special_tokens=extra,
        clean_up_tokenization_spaces=False,
    )
    return made


def _parts(config: PretrainConfig, unknown: str, special: list[str]) -> tuple[Tokenizer, Any]:
    """Give an untrained tokenizer and what trains it.

    WordPiece is BERT's (small letters, accents kept); the others keep letters as they are.
    """
    size = config.vocabulary
    told: dict[str, Any] = {"vocab_size": size, "special_tokens": special, "show_progress": False}
    if config.tokenizer == "wordpiece":
        tokenizer = Tokenizer(kinds.WordPiece(unk_token=unknown))
        tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True, strip_accents=False)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        tokenizer.decoder = decoders.WordPiece()
        return tokenizer, trainers.WordPieceTrainer(**told)
    if config.tokenizer == "bpe":
        tokenizer = Tokenizer(kinds.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
        tokenizer.decoder = decoders.ByteLevel()
        return tokenizer, trainers.BpeTrainer(**told, initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(kinds.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    return tokenizer, trainers.UnigramTrainer(**told, unk_token=unknown)


def _frame(objective: str, tokenizer: Tokenizer) -> Any:  # noqa: ANN401 - the library's processors share no type
    """Say which special sub-words stand around a text that an agent reads."""
    first, last = ("[CLS]", "[SEP]") if objective == "masked_lm" else (None, "</s>")
    if objective == "causal_lm":
        return None
    single, pair = ([first] if first else []) + ["$A", last], ["$B:1", f"{last}:1"]
    ids = [(name, tokenizer.token_to_id(name)) for name in (first, last) if name]
    return processors.TemplateProcessing(single=single, pair=[*single, *pair], special_tokens=ids)
