from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from models.adapters import get_adapter
from models.adapters.base import IGNORED
from models.encoder import load_tokenizer
from models.errors import DataError
from models.meta.pools import name_ids, name_words, pool_from_windows, with_names
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
    """A class's name is read as words, stands before the examples, and counts as none."""
    config = make_config(labels=("card_lost", "top-up"))
    rows = pa.table({"text": ["gone", "more"], "label": ["card_lost", "top-up"]})
    tokenizer = load_tokenizer(str(tiny_encoder))
    windows = get_adapter(config).encode(rows, tokenizer).windows
    pool = with_names(pool_from_windows("bank", "bank", get_adapter(config), [windows]), tokenizer)
    second = pool.ids.values[pool.ids.offsets[1] : pool.ids.offsets[2]]
    assert tokenizer.decode(second) == "[CLS] top up [SEP]"
    assert pool.named.tolist() == [True, True, False, False]
    assert pool.counts.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        (("top_up", "card-lost"), ["top up", "card lost"]),
        (("C++", "C#"), ["C++", "C#"]),
        (("-1", "1"), ["-1", "1"]),
        (("+", "a_b"), ["+", "a b"]),
    ],
)
def test_names_that_would_be_alike_stay_as_they_are(classes: tuple[str, ...], expected: list[str]):
    """One example of two classes would contradict itself."""
    assert name_words(classes) == expected


def test_names_that_the_encoder_can_not_tell_apart_are_refused(tiny_encoder: Path):
    """Both are told."""
    with pytest.raises(DataError, match="The names 'Refund' and 'refund' are the same to the encoder"):
        name_ids(("Refund", "refund"), load_tokenizer(str(tiny_encoder)))


def test_an_example_that_is_a_name_is_left_out(make_config: Callable[..., AgentConfig], tiny_encoder: Path):
    """With names in the support, such an example could be asked for as well."""
    config = make_config(labels=("next_song", "stop"))
    rows = pa.table({"text": ["next song", "play on"], "label": ["next_song", "next_song"]})
    tokenizer = load_tokenizer(str(tiny_encoder))
    windows = get_adapter(config).encode(rows, tokenizer).windows
    pool = with_names(pool_from_windows("music", "music", get_adapter(config), [windows]), tokenizer)
    assert pool.counts.tolist() == [1, 0]


def test_a_text_like_a_later_window_of_another_is_kept(
    make_config: Callable[..., AgentConfig], tiny_encoder: Path
):
    """Only first windows are compared: the rest of a long text is in no episode."""
    config = make_config(max_length=8, stride=0)
    rows = pa.table(
        {
            "text": ["one two three four five six so so so so so so", "so so so so so so"],
            "label": ["pos", "neg"],
        }
    )
    windows = get_adapter(config).encode(rows, load_tokenizer(str(tiny_encoder))).windows
    assert len(pool_from_windows("films", "films", get_adapter(config), [windows])) == 2
