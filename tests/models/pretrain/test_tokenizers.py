from collections.abc import Callable
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from models.errors import DataError
from models.pretrain.tokenizers import train_tokenizer
from models.schemas.pretrain import ObjectiveName, PretrainConfig, TokenizerKind
from tests.models.pretrain.conftest import made_texts

MakeConfig = Callable[..., PretrainConfig]


@pytest.mark.parametrize("kind", ["wordpiece", "bpe", "unigram"])
@pytest.mark.parametrize("objective", ["masked_lm", "causal_lm", "span_denoising"])
def test_texts_come_back_from_sub_words(
    make_config: MakeConfig, kind: TokenizerKind, objective: ObjectiveName, tmp_path: Path
):
    """Each kind of tokenizer, stored and loaded, gives back the text that it cut."""
    config = make_config(tokenizer=kind, objective=objective, vocabulary=400)
    train_tokenizer(config, [made_texts()]).save_pretrained(tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    assert len(tokenizer) <= 400
    assert tokenizer.pad_token_id == 0
    text = "the cat watches the moon"
    ids = tokenizer(text)["input_ids"]
    assert tokenizer.decode(ids, skip_special_tokens=True).strip() == text
    assert len(ids) < len(text)


def test_special_sub_words_frame_what_an_agent_reads(make_config: MakeConfig):
    """An encoder's tokenizer puts [CLS] before and [SEP] behind a text."""
    tokenizer = train_tokenizer(make_config(), [made_texts()])
    ids = tokenizer("the cat")["input_ids"]
    assert (ids[0], ids[-1]) == (tokenizer.cls_token_id, tokenizer.sep_token_id)


def test_texts_without_words_are_refused(make_config: MakeConfig):
    """There is nothing to make sub-words of."""
    with pytest.raises(DataError, match="hold no words"):
        train_tokenizer(make_config(), [[" "]])
