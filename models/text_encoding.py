"""Find texts whose bytes are not what they should be, many at a time."""

import codecs
import re
import threading

import numpy as np
import pyarrow as pa

_NOTED = "quickstudy-noted"


def invalid_utf8(values: pa.Array) -> np.ndarray:
    """Tell which strings are no valid UTF-8: (rows,) bool; nulls are valid.

    Args:
        values: A string or binary array, its bytes not yet looked at.
    """
    invalid = np.zeros(len(values), bool)
    offsets, content = flat_values(values)
    codes = np.frombuffer(content, np.uint8)
    if not len(codes) or codes.max() < 0x80 or _is_valid(values):
        return invalid
    wrong = _wrong_bytes(content)
    invalid[np.searchsorted(offsets, wrong, side="right") - 1] = True
    # A value that begins within a character could complete the broken end of the one before.
    filled = np.flatnonzero(np.diff(offsets))
    invalid[filled[(codes[offsets[filled]] & 0xC0) == 0x80]] = True
    broken_ends = filled[:-1][invalid[filled[1:]]]
    for row in broken_ends:
        invalid[row] |= not _is_valid(values[int(row) : int(row) + 1])
    return invalid


def holds(values: pa.Array, character: str) -> np.ndarray:
    """Tell which texts hold a character: (rows,) bool; fast where few do.

    Args:
        values: (rows,) valid UTF-8; nulls hold nothing.
        character: What to look for.
    """
    found = np.zeros(len(values), bool)
    offsets, content = flat_values(values)
    places = [match.start() for match in re.finditer(re.escape(character.encode()), content)]
    found[np.searchsorted(offsets, places, side="right") - 1] = True
    return found


def flat_values(values: pa.Array) -> tuple[np.ndarray, memoryview]:
    """Give the offsets (rows + 1,) and the bytes of all values of a string or binary array, end to end."""
    width = (
        np.int64
        if pa.types.is_large_string(values.type) or pa.types.is_large_binary(values.type)
        else np.int32
    )
    _, places, content = values.buffers()
    if not len(values) or places is None or content is None:
        return np.zeros(len(values) + 1, np.int64), memoryview(b"")
    offsets = np.frombuffer(places, width)[values.offset : values.offset + len(values) + 1].astype(np.int64)
    return offsets - offsets[0], memoryview(content)[int(offsets[0]) : int(offsets[-1])]


def _is_valid(values: pa.Array) -> bool:
    large = pa.types.is_large_string(values.type) or pa.types.is_large_binary(values.type)
    try:
        values.cast(pa.large_binary() if large else pa.binary()).cast(
            pa.large_string() if large else pa.string()
        )
    except pa.ArrowInvalid:
        return False
    return True


def _wrong_bytes(content: memoryview) -> list[int]:
    """Give the positions where decoding stumbles; everything between is decoded at once."""
    found: list[int] = []

    def note(error: UnicodeError) -> tuple[str, int]:
        if not isinstance(error, UnicodeDecodeError):
            raise error
        found.append(error.start)
        return "", error.end

    # The handler's name is this thread's own: parts are made in several threads.
    name = f"{_NOTED}-{threading.get_ident()}"
    codecs.register_error(name, note)
    codecs.decode(content, "utf-8", name)
    return found
