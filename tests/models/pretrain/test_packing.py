from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from models.encoder import load_tokenizer
from models.errors import ArtifactError, DataError
from models.pretrain import packing
from models.pretrain.blocks import Blocks
from models.pretrain.packing import pack, read_frequencies, read_texts
from models.pretrained import DEFAULT_ENCODER
from models.schemas.pretrain import PretrainConfig
from tests.models.pretrain.conftest import made_texts, store_documents

MakeConfig = Callable[..., PretrainConfig]


@pytest.fixture
def config(make_config: MakeConfig) -> PretrainConfig:
    """Describe blocks of 16 sub-words for MiniLM."""
    new = dict.fromkeys(("layers", "width", "heads", "vocabulary", "tokenizer"))
    return make_config(**new, block_length=16)


def _texts(documents: Path, split: str) -> list[str]:
    rows = pq.read_table(documents)
    return [row["text"] for row in rows.to_pylist() if row["split"] == split]


def test_no_token_is_lost(
    config: PretrainConfig, documents: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The blocks end to end are the training texts in order, each with a separator behind it."""
    monkeypatch.setattr(packing, "_TEXTS_AT_ONCE", 7)
    monkeypatch.setattr(packing, "BLOCKS_AT_ONCE", 4)
    monkeypatch.setattr("models.pretrain.blocks.BLOCKS_AT_ONCE", 4)
    tokenizer = load_tokenizer(DEFAULT_ENCODER)
    counts = pack(config, documents, tokenizer, tmp_path)
    blocks = Blocks(tmp_path / "train.arrow")
    found = blocks.read(np.arange(len(blocks)))
    expected = [
        token
        for text in _texts(documents, "train")
        for token in [*tokenizer(text, add_special_tokens=False)["input_ids"], tokenizer.sep_token_id]
    ]
    assert found.values.tolist() == expected
    assert (counts.blocks, counts.tokens["train"]) == (len(blocks), len(expected))
    assert set(found.lengths[:-1]) == {14}
    assert read_frequencies(tmp_path).tolist() == np.bincount(expected, minlength=len(tokenizer)).tolist()


def test_blocks_are_read_in_the_order_asked_for(config: PretrainConfig, documents: Path, tmp_path: Path):
    """A block is found by its number, whatever record batch it is in."""
    pack(config, documents, load_tokenizer(DEFAULT_ENCODER), tmp_path)
    blocks = Blocks(tmp_path / "train.arrow")
    whole = blocks.read(np.arange(len(blocks)))
    some = blocks.read(np.array([5, 0]))
    assert some.values.tolist() == [*whole.values[70:84], *whole.values[:14]]


def test_held_out_texts_are_never_packed(config: PretrainConfig, documents: Path, tmp_path: Path):
    """Texts of validation and test are in files of their own, and those alone."""
    tokenizer = load_tokenizer(DEFAULT_ENCODER)
    pack(config, documents, tokenizer, tmp_path)
    blocks = Blocks(tmp_path / "train.arrow")
    learned = set(tokenizer.decode(blocks.read(np.arange(len(blocks))).values).split(" [SEP] "))
    for split in ("validation", "test"):
        texts = _texts(documents, split)
        assert texts
        assert not learned & set(texts)
    held_out = read_texts(tmp_path, "test")["input_ids"].to_pylist()
    assert sorted(map(tokenizer.decode, held_out)) == sorted(_texts(documents, "test"))


def test_few_texts_are_scored_and_always_the_same(
    make_config: MakeConfig, config: PretrainConfig, documents: Path, tmp_path: Path
):
    """Of many held-out texts those of the lowest hashes are scored; more of them include these."""
    found = []
    for most in (5, 9):
        out = tmp_path / str(most)
        out.mkdir()
        pack(
            config.model_copy(update={"judged_texts": most}), documents, load_tokenizer(DEFAULT_ENCODER), out
        )
        found.append(set(read_texts(out, "test")["text_hash"].to_pylist()))
    assert len(found[0]) == 5
    assert found[0] < found[1]


def test_a_special_word_in_a_text_is_text(config: PretrainConfig, tmp_path: Path):
    """A text that spells out a special sub-word does not become one."""
    store_documents(tmp_path / "documents.parquet", [f"{text} [MASK]" for text in made_texts(100)])
    tokenizer = load_tokenizer(DEFAULT_ENCODER)
    pack(config, tmp_path / "documents.parquet", tokenizer, tmp_path)
    assert read_frequencies(tmp_path)[tokenizer.mask_token_id] == 0


def test_an_empty_split_is_refused(config: PretrainConfig, tmp_path: Path):
    """A corpus too small to hold a text out says so."""
    store_documents(tmp_path / "documents.parquet", ["one text"])
    with pytest.raises(DataError, match="split has 0 sub-words"):
        pack(config, tmp_path / "documents.parquet", load_tokenizer(DEFAULT_ENCODER), tmp_path)


def test_missing_blocks_are_told(tmp_path: Path):
    """A folder without blocks says what to do."""
    with pytest.raises(ArtifactError, match="pack the corpus again"):
        Blocks(tmp_path / "train.arrow")
