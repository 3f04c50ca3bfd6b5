"""Slips of the fingers on a keyboard."""

import re
from collections.abc import Callable
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.perturb.base import WordPerturbation

_LONG_ENOUGH = "[A-Za-z]{4,}"
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def _neighbours() -> dict[str, str]:
    """Give the keys beside each key of a QWERTY keyboard, and those above and below it."""
    found: dict[str, str] = {}
    for line, row in enumerate(_ROWS):
        for place, key in enumerate(row):
            near = [other[max(0, place - 1) : place + 2] for other in _ROWS[max(0, line - 1) : line + 2]]
            found[key] = "".join(near).replace(key, "")
    return found


_NEIGHBOURS = _neighbours()


class Typos(WordPerturbation):
    """Swap, drop, double or miss one letter of a word of four letters or more, never its first.

    Pruthi, Dhingra and Lipton, "Combating Adversarial Misspellings with Robust Word Recognition", 2019,
    arXiv:1905.11268, sec. 3: swaps, drops, additions and keyboard slips inside a word, drawn at random here
    and not searched for.
    """

    name: ClassVar[str] = "typos"

    def able(self, words: pa.Array) -> np.ndarray:
        """Tell which words have four letters in a row."""
        found: np.ndarray = pc.match_substring_regex(words, _LONG_ENOUGH).to_numpy(zero_copy_only=False)
        return found

    def change(self, words: pa.Array, noise: np.ndarray) -> pa.Array:
        """Make one slip in each word."""
        changed = [_slip(word, int(n)) for word, n in zip(words.to_pylist(), noise, strict=True)]
        return pa.array(changed, pa.string())


def _swap(letters: str, at: int, _noise: int) -> str:
    return letters[:at] + letters[at + 1 : at + 2] + letters[at] + letters[at + 2 :]


def _drop(letters: str, at: int, _noise: int) -> str:
    return letters[:at] + letters[at + 1 :]


def _double(letters: str, at: int, _noise: int) -> str:
    return letters[: at + 1] + letters[at:]


def _miss(letters: str, at: int, noise: int) -> str:
    near = _NEIGHBOURS[letters[at].lower()]
    key = near[noise % len(near)]
    return letters[:at] + (key.upper() if letters[at].isupper() else key) + letters[at + 1 :]


_SLIPS: tuple[Callable[[str, int, int], str], ...] = (_swap, _drop, _double, _miss)


def _slip(word: str, noise: int) -> str:
    """Make the slip that the random number says, in the word's first run of letters."""
    run = re.search(_LONG_ENOUGH, word)
    if run is None:
        return word
    letters = run.group()
    noise, kind = divmod(noise, len(_SLIPS))
    noise, place = divmod(noise, len(letters) - 2)
    changed = _SLIPS[kind](letters, place + 1, noise)
    if changed == letters:  # two equal letters were swapped
        changed = _drop(letters, place + 1, noise)
    return word[: run.start()] + changed + word[run.end() :]
