from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.adapters import IGNORED, Answers, TokenClassification
from models.encoder import DEFAULT_ENCODER, load_tokenizer
from models.errors import DataError
from models.schemas import AgentConfig

TOKENIZER = load_tokenizer(DEFAULT_ENCODER)
MakeConfig = Callable[..., AgentConfig]
WORDS = st.sampled_from(["a", "Paris", "unbelievablyness", "new-york", "x" * 30])
TYPES = st.sampled_from(["loc", "per", None])
ENTITIES = st.lists(st.tuples(TYPES, st.lists(WORDS, min_size=1, max_size=4)), max_size=8)


@pytest.fixture
def adapter(make_config: MakeConfig) -> TokenClassification:
    """Give the adapter for the entity types loc and per."""
    return TokenClassification(make_config("token_classification"))


def _rows(tokens: list[list[str]], tags: list[list[str]]) -> pa.Table:
    kind = pa.list_(pa.string())
    return pa.table({"tokens": pa.array(tokens, kind), "tags": pa.array(tags, kind)})


def _tags(entities: list[tuple[str | None, list[str]]]) -> list[str]:
    return [
        "O" if kind is None else f"{'I' if place else 'B'}-{kind}"
        for kind, words in entities
        for place, _ in enumerate(words)
    ]


def _loud(adapter: TokenClassification, windows: pa.Table) -> list[np.ndarray]:
    """Give logits that say the windows' labels, and loud nonsense where nothing is labelled."""
    size = len(adapter.outputs)
    labels = [np.array(one) for one in windows["labels"].to_pylist()]
    return [10.0 * (np.where(one < 0, size - 1, one)[:, None] == np.arange(size)) for one in labels]


@given(st.lists(ENTITIES, min_size=1, max_size=4), st.integers(8, 20), st.integers(0, 5))
def test_no_entity_is_cut_away(
    make_config: MakeConfig, rows: list[list[tuple[str | None, list[str]]]], max_length: int, stride: int
):
    """Whatever the windows, all tags of a row go in and come out again."""
    adapter = TokenClassification(make_config("token_classification", max_length=max_length, stride=stride))
    table = _rows([[w for _, words in row for w in words] for row in rows], [_tags(row) for row in rows])
    windows = adapter.encode(table, TOKENIZER).windows
    predictions = adapter.decode(Answers(_loud(adapter, windows), windows, TOKENIZER), table)
    assert predictions["tags"].to_pylist() == table["tags"].to_pylist()


def test_only_the_first_sub_word_is_labelled(adapter: TokenClassification):
    """Labels follow word ids: the rest of a word, and special tokens, are ignored."""
    rows = _rows([["unbelievablyness", "in", "Paris"]], [["O", "O", "B-loc"]])
    windows = adapter.encode(rows, TOKENIZER).windows
    subwords = len(TOKENIZER.tokenize("unbelievablyness"))
    assert subwords > 2
    ignored = [IGNORED] * (subwords - 1)
    assert windows["labels"][0].as_py() == [IGNORED, 0, *ignored, 0, 1, IGNORED]
    assert windows["words"][0].as_py() == [-1, 0, *[-1] * (subwords - 1), 1, 2, -1]


def test_a_word_is_read_where_it_has_most_context(adapter: TokenClassification):
    """Of two windows that hold a word, the one counts in which it is farther from the border."""
    rows = pa.table({"tokens": [["so"] * 24]})
    windows = adapter.encode(rows, TOKENIZER).windows
    first, second = np.zeros((16, 5)), np.zeros((16, 5))
    first[:, 1], second[:, 3] = 5.0, 5.0
    tags = adapter.decode(Answers([first, second], windows, TOKENIZER), rows)["tags"][0].as_py()
    # Words 10 to 13 are in both: 10 and 11 have more room in the first window, 12 and 13 in the second.
    assert windows.num_rows == 2
    assert tags == ["B-loc"] * 12 + ["B-per"] * 12


def test_answers_are_valid_whatever_the_scores(adapter: TokenClassification):
    """Scores that say I- everywhere still give entities that begin with B-, or none."""
    rows = pa.table({"tokens": [["a", "b"], ["c"]]})
    windows = adapter.encode(rows, TOKENIZER).windows
    scores = np.zeros((4, 5))
    scores[:, 2] = 9.0
    tags = adapter.decode(Answers([scores, scores[:3]], windows, TOKENIZER), rows)["tags"].to_pylist()
    assert tags == [["B-loc", "I-loc"], ["O"]]


def test_confidence_is_the_lowest_of_the_row(adapter: TokenClassification):
    """A row is as sure as its least sure word; an empty row is sure of nothing said."""
    rows = pa.table({"tokens": pa.array([["a", "b"], []], pa.list_(pa.string()))})
    windows = adapter.encode(rows, TOKENIZER).windows
    scores = np.zeros((4, 5))
    scores[1, 0] = 9.0
    predictions = adapter.decode(Answers([scores], windows, TOKENIZER), rows)
    each = predictions["confidences"].to_pylist()
    assert each[0] == [pytest.approx(np.exp(9) / (np.exp(9) + 4)), pytest.approx(0.2)]
    assert predictions["confidence"].to_pylist() == [pytest.approx(0.2), 1.0]


def test_lost_words_are_counted_and_answered(adapter: TokenClassification):
    """A word that tokenizes to nothing is counted, gets O, and moves no other word's tag."""
    rows = _rows([["\x00", "Paris", "", "Ada"]], [["O", "B-loc", "O", "B-per"]])
    encoding = adapter.encode(rows, TOKENIZER)
    predictions = adapter.decode(Answers(_loud(adapter, encoding.windows), encoding.windows, TOKENIZER), rows)
    assert encoding.unusable == {"word without sub-words": 2}
    assert predictions["tags"].to_pylist() == rows["tags"].to_pylist()


def test_an_entity_over_a_lost_word_stays_whole(adapter: TokenClassification):
    """An invisible character between New and York does not cut the entity in two."""
    rows = _rows([["New", "\x00", "York"]], [["B-loc", "I-loc", "I-loc"]])
    windows = adapter.encode(rows, TOKENIZER).windows
    assert (
        adapter.decode(Answers(_loud(adapter, windows), windows, TOKENIZER), rows)["tags"].to_pylist()
        == rows["tags"].to_pylist()
    )


def test_tags_of_another_length_are_refused(adapter: TokenClassification):
    """Tags that do not match the tokens in number name the row and both numbers."""
    with pytest.raises(DataError, match="Row 1 has 1 tags for 2 tokens"):
        adapter.encode(_rows([["a"], ["b", "c"]], [["O"], ["O"]]), TOKENIZER)


def test_a_row_without_tags_beside_others_is_not_learned_from(adapter: TokenClassification):
    """Null tags mean IGNORED for that row's words alone."""
    kind = pa.list_(pa.string())
    rows = pa.table({"tokens": pa.array([["a"], ["b"]], kind), "tags": pa.array([None, ["B-per"]], kind)})
    labels = adapter.encode(rows, TOKENIZER).windows["labels"].to_pylist()
    assert labels == [[IGNORED] * 3, [IGNORED, 3, IGNORED]]


def test_a_slice_of_rows_encodes_like_a_copy(adapter: TokenClassification):
    """Rows that are a view of a longer table give the same windows."""
    rows = _rows([["a", "b"], ["Paris"], ["Ada", "c"]], [["O", "O"], ["B-loc"], ["B-per", "O"]])
    copied = pa.Table.from_pylist(rows.slice(1).to_pylist(), schema=rows.schema)
    assert adapter.encode(rows.slice(1), TOKENIZER).windows.equals(adapter.encode(copied, TOKENIZER).windows)


def test_outcomes_count_entities_of_each_row(adapter: TokenClassification):
    """A wrong border is one entity made up and one missed."""
    truth = _rows([["a", "b"], ["c"]], [["B-loc", "I-loc"], ["O"]])
    outcomes = adapter.outcomes(truth, _rows([["a", "b"], ["c"]], [["B-loc", "O"], ["O"]]))
    assert outcomes.counts.tolist() == [[0, 1, 1], [0, 0, 0]]
    assert outcomes.exact.tolist() == [False, True]


@pytest.mark.data
def test_entities_of_real_tweets_survive_windows(data_folder: Path, make_config: MakeConfig):
    """All entities of WNUT17's training tweets go through windows of 24 sub-words and come back."""
    lines = (data_folder / "wnut17" / "emerging.test.annotated").read_text(encoding="utf-8").splitlines()
    pairs = [tuple(line.split("\t")[:2]) if line.strip() else None for line in lines]
    breaks = [-1, *(i for i, pair in enumerate(pairs) if pair is None), len(pairs)]
    tweets = [[p for p in pairs[a + 1 : b] if p] for a, b in pairwise(breaks)]
    tokens, tags = ([[pair[side] for pair in tweet] for tweet in tweets if tweet] for side in (0, 1))
    labels = sorted({tag[2:] for row in tags for tag in row} - {""})
    config = make_config("token_classification", labels=tuple(labels), max_length=24, stride=8)
    adapter, rows = TokenClassification(config), _rows(tokens, tags)
    windows = adapter.encode(rows, TOKENIZER).windows
    assert windows.num_rows > 1.2 * rows.num_rows
    predictions = adapter.decode(Answers(_loud(adapter, windows), windows, TOKENIZER), rows)
    assert adapter.metrics(rows, predictions)["f1"] == 1


def test_an_unknown_answer_is_wrong_and_an_unknown_truth_an_error(adapter: TokenClassification):
    """A model of an earlier label set may find a type that is gone; rows may not have it."""
    known, gone = _rows([["a", "b"]], [["B-loc", "O"]]), _rows([["a", "b"]], [["B-org", "I-org"]])
    assert adapter.outcomes(known, gone).counts.tolist() == [[0, 1, 1]]
    assert adapter.metrics(known, gone)["f1"] == 0
    with pytest.raises(DataError, match="Tag 'B-org' is not O or"):
        adapter.outcomes(gone, known)
