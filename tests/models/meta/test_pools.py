from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from models.adapters import get_adapter
from models.adapters.base import IGNORED
from models.encoder import load_tokenizer
from models.meta.pools import pool_from_windows, with_names
from models.schemas import AgentConfig


def test_texts_become_rows_with_their_class(make_config: Callable[..., AgentConfig], tiny_encoder: Path):
    """Classes are those of the config, in its order; a text that stands there twice is kept once."""
    config = make_config()
    rows = pa.table({"text": ["good", "bad film", "good", "fine"], "label": ["pos", "neg", "pos", "neu"]})
    windows = get_adapter(config).encode(rows, load_tokenizer(str(tiny_encoder))).windows
    pool = pool_from_windows("films", "films", get_adapter(config), [windows])
    assert pool.classes == ("neg", "neu", "pos")
    assert pool.labels.values.tolist() == [2, 0, 1]


def test_a_long_text_gives_its_first_window_alone(
    make_config: Callable[..., AgentConfig], tiny_encoder: Path
):
    """One row of a pool is one text."""
    config = make_config()
    rows = pa.table({"text": ["so " * 40, "bad"], "label": ["pos", "neg"]})
    windows = get_adapter(config).encode(rows, load_tokenizer(str(tiny_encoder))).windows
    assert windows.num_rows > 2
    assert len(pool_from_windows("films", "films", get_adapter(config), [windows])) == 2


def test_tags_become_types_numbered_from_one(make_config: Callable[..., AgentConfig], tiny_encoder: Path):
    """B- and I- of a type are one class, O is 0, and what is not a word's first sub-word has none."""
    config = make_config("token_classification")
    rows = pa.table({"tokens": [["in", "New", "York"]], "tags": [["O", "B-loc", "I-loc"]]})
    tokenizer = load_tokenizer(str(tiny_encoder), split_words=True)
    windows = get_adapter(config).encode(rows, tokenizer).windows
    pool = pool_from_windows("places", "places", get_adapter(config), [windows])
    assert pool.labels.values.tolist() == [IGNORED, 0, 1, 1, IGNORED]


def test_names_become_rows_of_their_classes(make_config: Callable[..., AgentConfig], tiny_encoder: Path):
    """A class's name is read as words, stands at the end, and counts as no example."""
    config = make_config(labels=("card_lost", "top-up"))
    rows = pa.table({"text": ["gone", "more"], "label": ["card_lost", "top-up"]})
    tokenizer = load_tokenizer(str(tiny_encoder))
    windows = get_adapter(config).encode(rows, tokenizer).windows
    pool = with_names(pool_from_windows("bank", "bank", get_adapter(config), [windows]), tokenizer)
    last = pool.ids.values[pool.ids.offsets[3] : pool.ids.offsets[4]]
    assert tokenizer.decode(last) == "[CLS] top up [SEP]"
    assert pool.named.tolist() == [False, False, True, True]
    assert pool.counts.tolist() == [1, 1]
