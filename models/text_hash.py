"""The identity of a text: its normalized form, the hash of that, and the split that follows from the hash.

Everything that asks "is this the same text?" (duplicates, held-out rows, the ledger's counts) asks it
here. Changing a result of this module moves rows between splits: raise TEXT_HASH_VERSION with it.
"""

import unicodedata

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from models.text_encoding import flat_values

TEXT_HASH_VERSION = 1
"""NFKC, case folded, white space collapsed and stripped; XXH64 of the UTF-8 bytes with seed 0."""

SPLITS = ("train", "validation", "test")

_ASCII_SPACE = r"[ \t-\r\x1c-\x1f]+"
_OTHER_SPACE = "\x85\u1680\u2028\u2029"
"""What str.split() takes for white space beyond ASCII and NFKC has not made a blank."""


def normalize_texts(texts: pa.StringArray) -> pa.StringArray:
    """Normalize texts: NFKC, case folded, runs of white space as one blank, ends stripped.

    Args:
        texts: (rows,) valid UTF-8 without nulls.
    """
    ascii_only = pc.string_is_ascii(texts)
    if pc.all(ascii_only).as_py() is not False:
        return _collapse(pc.ascii_lower(texts))
    folded = _fold(texts.filter(pc.invert(ascii_only)))
    lower = pc.ascii_lower(pc.if_else(ascii_only, texts, ""))
    return _collapse(pc.replace_with_mask(lower, pc.invert(ascii_only), folded))


def join_tokens(tokens: pa.ListArray) -> pa.StringArray:
    """Join each row's tokens by a blank: the text that stands for them."""
    return pc.binary_join(tokens, " ")


def hash_texts(texts: pa.StringArray) -> np.ndarray:
    """Hash each text's bytes with XXH64, seed 0 (a published, frozen function): (rows,) uint64."""
    values = texts.cast(pa.large_binary() if pa.types.is_large_string(texts.type) else pa.binary())
    return np.fromiter(map(xxhash.xxh64_intdigest, values.to_pylist()), np.uint64, len(values))


def text_hashes(texts: pa.StringArray) -> np.ndarray:
    """Hash the normalized texts: (rows,) uint64, equal for texts that count as the same."""
    return hash_texts(normalize_texts(texts))


def split_codes(hashes: np.ndarray, validation_share: float, test_share: float) -> np.ndarray:
    """Assign each hash to a split: (rows,) int8 positions in SPLITS.

    A text's split depends on nothing but its hash and the shares. Test rows lie at the low end of the
    hash's range and validation rows at the high end, so a larger share only adds rows to its split.
    """
    place = (hashes >> np.uint64(11)).astype(np.float64) / 2.0**53
    codes = np.zeros(len(hashes), np.int8)
    codes[place >= 1.0 - validation_share] = 1
    codes[place < test_share] = 2
    return codes


def _fold(texts: pa.StringArray) -> pa.StringArray:
    """Fold all texts as one string: a line feed stays itself under NFKC and case folding."""
    flat = pc.replace_substring(texts, "\n", " ")
    joined = pc.binary_join(pa.scalar(flat, pa.list_(flat.type)), "\n").as_py()
    # Folding can undo the normal form (U+0345), so it is normalized on both sides.
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", joined).casefold())
    for space in _OTHER_SPACE:
        folded = folded.replace(space, " ")
    return pa.array(folded.split("\n"), texts.type)


def _collapse(texts: pa.StringArray) -> pa.StringArray:
    """Collapse ASCII white space where there is any to collapse; most rows have none."""
    untidy = _untidy(texts)
    if not untidy.any():
        return texts
    mask = pa.array(untidy)
    tidy = pc.utf8_trim(pc.replace_substring_regex(texts.filter(mask), _ASCII_SPACE, " "), " ")
    return pc.replace_with_mask(texts, mask, tidy)


def _untidy(texts: pa.StringArray) -> np.ndarray:
    """Tell which texts hold two blanks in a row, a blank at an end, or another white space: (rows,) bool."""
    offsets, content = flat_values(texts)
    codes = np.frombuffer(content, np.uint8)
    untidy = np.zeros(len(texts), bool)
    blank = codes == 32
    begins, filled = offsets[:-1], np.diff(offsets) > 0
    untidy[filled] = blank[begins[filled]] | blank[offsets[1:][filled] - 1]
    odd = codes < 32
    odd[1:] |= blank[1:] & blank[:-1]
    if odd.any():
        untidy[np.searchsorted(offsets, np.flatnonzero(odd), side="right") - 1] = True
    return untidy
