"""The identity of texts and the split that follows from it."""

import unicodedata

import numpy as np
import pyarrow as pa
import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from models.text_hash import hash_texts, join_tokens, normalize_texts, split_codes, text_hashes

TEXTS = st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=20)


def _normalize(text: str) -> str:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(folded.split())


@given(TEXTS)
@settings(max_examples=300, deadline=None)
def test_all_rows_at_once_give_what_each_gives_alone(texts: list[str]):
    """Normalizing a column equals NFKC, case folding and splitting of each text in plain Python."""
    assert normalize_texts(pa.array(texts, pa.string())).to_pylist() == [_normalize(t) for t in texts]


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("  A\tb\r\n C ", "a b c"),
        ("Straße", "strasse"),
        ("ﬁne\u00a0Café", "fine café"),
        ("e\u0301", "é"),
        ("\u2028x\u3000y\u0085", "x y"),
        ("\u03a3\u0391\u03a3", "\u03c3\u03b1\u03c3"),
        ("\x1cq\x1f", "q"),
        ("", ""),
    ],
)
def test_known_texts_are_normalized(text: str, normal: str):
    """White space, case and compatibility forms make no difference."""
    assert normalize_texts(pa.array([text])).to_pylist() == [normal]


def test_neighbours_do_not_touch_each_other():
    """A text that begins with a combining mark leaves the text before it alone."""
    texts = ["é e", "\u0301x", "plain", "ü\n"]
    assert normalize_texts(pa.array(texts)).to_pylist() == [_normalize(t) for t in texts]


@given(TEXTS)
@settings(max_examples=100, deadline=None)
def test_hashes_are_xxh64_of_the_bytes(texts: list[str]):
    """The hash is the published XXH64 with seed 0, also for slices of a column."""
    expected = [xxhash.xxh64(t.encode(), seed=0).intdigest() for t in texts]
    assert hash_texts(pa.array(texts, pa.string())).tolist() == expected
    assert hash_texts(pa.array(["x", *texts], pa.string())[1:]).tolist() == expected


def test_hashes_are_pinned():
    """These values never change: a text held out once would come back into training."""
    hashes = text_hashes(pa.array(["", "a", "Hello  World", "Straße", "an agent kept good at its job"]))
    assert [f"{h:016x}" for h in hashes.tolist()] == PINNED


PINNED = [
    "ef46db3751d8e999",
    "d24ec4f1a98c6e5b",
    "45ab6734b21e6968",
    "7d19167499ad989c",
    "65d580df59f65e74",
]


def test_tokens_are_joined_by_a_blank():
    """Tokens have the hash of the text that they make with blanks between."""
    tokens = pa.array([["Hello", "World"], []])
    assert text_hashes(join_tokens(tokens)).tolist() == text_hashes(pa.array(["hello world", ""])).tolist()


def test_splits_have_their_shares():
    """Of many texts, each split gets about the share asked for."""
    hashes = text_hashes(pa.array([f"text {i}" for i in range(20_000)]))
    shares = np.bincount(split_codes(hashes, 0.2, 0.1), minlength=3) / len(hashes)
    assert shares == pytest.approx([0.7, 0.2, 0.1], abs=0.01)


def test_a_larger_share_moves_no_row_out_of_its_split():
    """A held-out row stays held out when the shares grow."""
    hashes = text_hashes(pa.array([f"text {i}" for i in range(5000)]))
    before, after = split_codes(hashes, 0.1, 0.1), split_codes(hashes, 0.2, 0.3)
    assert (after[before > 0] == before[before > 0]).all()
