from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from models.adapters.windows import cut_windows
from models.encoder import DEFAULT_ENCODER, load_tokenizer
from models.errors import ConfigError
from models.schemas import AgentConfig

TOKENIZER = load_tokenizer(DEFAULT_ENCODER)
WORDS = st.sampled_from(["a", "Paris", "unbelievablyness", "\x00", "", "new-york", "[SEP]", "日本"])
ROWS = st.lists(st.lists(WORDS, max_size=12), max_size=5)


def _whole(words: list[str]) -> tuple[list[int], list[int], list[bool]]:
    """Give a row's sub-words, their words, and whether each starts its word, uncut."""
    encoding = TOKENIZER(words, is_split_into_words=True, add_special_tokens=False, split_special_tokens=True)
    owners = encoding.word_ids(0)
    return encoding["input_ids"], owners, [i == 0 or owners[i] != owners[i - 1] for i in range(len(owners))]


@given(ROWS, st.integers(8, 14), st.integers(0, 5))
def test_windows_are_the_overlapping_cuts_of_a_row(
    make_config: Callable[..., AgentConfig], rows: list[list[str]], max_length: int, stride: int
):
    """Each window holds the sub-words, words and word starts of its stretch of the uncut row."""
    windows = cut_windows(rows, TOKENIZER, make_config(max_length=max_length, stride=stride))
    step = max_length - 2 - stride
    seen: dict[int, int] = {}
    for index, row in enumerate(windows.rows):
        ids, words, starts = _whole(rows[row])
        first = seen.get(row, 0)
        stretch = slice(first, first + max_length - 2)
        inside = slice(windows.ids.offsets[index] + 1, windows.ids.offsets[index + 1] - 1)
        assert windows.ids.values[inside].tolist() == ids[stretch]
        assert windows.words[inside].tolist() == words[stretch]
        assert windows.starts[inside].tolist() == starts[stretch]
        seen[row] = first + step
    for row, after in seen.items():
        assert after - step + max_length - 2 >= len(_whole(rows[row])[0])
    assert sorted(seen) == list(range(len(rows)))


@given(ROWS)
def test_special_tokens_belong_to_no_word(make_config: Callable[..., AgentConfig], rows: list[list[str]]):
    """The first and the last sub-word of a window are special ones, without a word."""
    windows = cut_windows(rows, TOKENIZER, make_config())
    borders = np.concatenate([windows.ids.offsets[:-1], windows.ids.offsets[1:] - 1])
    assert (windows.words[borders] == -1).all()
    assert not windows.starts[borders].any()


def test_windows_without_special_tokens_start_their_words(make_config: Callable[..., AgentConfig]):
    """A tokenizer that adds nothing around a window still marks the first word of each row and window."""
    plain = Tokenizer(models.WordLevel({"a": 0, "b": 1}, unk_token="b"))  # no password
    plain.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=plain)
    rows = [["a", "b"], ["ab", "a"], ["a"] * 6 + ["bbb", "a"]]
    windows = cut_windows(rows, tokenizer, make_config(max_length=8, stride=2))
    assert windows.rows.tolist() == [0, 1, 2, 2]
    assert windows.words.tolist() == [0, 1, *[0, 0, 1], *[0, 1, 2, 3, 4, 5, 6, 6], *[6, 6, 6, 7]]
    starts = [1, 1, *[1, 0, 1], *[1, 1, 1, 1, 1, 1, 1, 0], *[1, 0, 0, 1]]
    assert windows.starts.tolist() == [bool(start) for start in starts]


def test_special_tokens_in_the_text_are_plain_text(make_config: Callable[..., AgentConfig]):
    """A text that spells [SEP] can not end the model's input."""
    windows = cut_windows(["one [SEP] two"], TOKENIZER, make_config())
    assert (windows.ids.values == TOKENIZER.sep_token_id).sum() == 1


def test_no_rows_make_no_windows(make_config: Callable[..., AgentConfig]):
    """An empty batch is cut without calling the tokenizer."""
    assert len(cut_windows([], TOKENIZER, make_config()).rows) == 0


def test_a_stride_without_room_is_refused(make_config: Callable[..., AgentConfig]):
    """A tokenizer with more special tokens than two leaves less room for the stride."""

    class ManySpecial:
        """Has room for no window to move on."""

        def num_special_tokens_to_add(self) -> int:
            """Ask for eight special tokens."""
            return 8

    tokenizer: PreTrainedTokenizerBase = ManySpecial()  # type: ignore[assignment]  # only asked for its count
    with pytest.raises(ConfigError, match=r"stride is 9; with 8 special tokens .* must be below .* = 8"):
        cut_windows(["text"], tokenizer, make_config(stride=9))


def test_case_is_left_to_the_tokenizer(make_config: Callable[..., AgentConfig]):
    """A cased tokenizer sees capitals: nothing lower-cases before it."""
    seen: list[list[str]] = []

    def record(inputs: list[str], **options: object) -> object:
        seen.append(inputs)
        return TOKENIZER(inputs, **options)

    record.num_special_tokens_to_add = TOKENIZER.num_special_tokens_to_add  # type: ignore[attr-defined]  # a stand-in
    cut_windows(["New York"], record, make_config())  # type: ignore[arg-type]  # a stand-in that passes on
    assert seen == [["New York"]]
