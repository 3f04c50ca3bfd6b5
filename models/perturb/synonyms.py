"""Other words for the same."""

from functools import cache
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from models.perturb.base import WordPerturbation

_WORD = r"^(?P<stem>[A-Za-z]+)(?P<end>[.,;:!?]*)$"


class Synonyms(WordPerturbation):
    """Put a synonym from WordNet 3.0 in a word's place; the words of an entity stay.

    George A. Miller, "WordNet: A Lexical Database for English", 1995. `synonyms.parquet` holds English base
    forms that mean mostly one thing, with the other words for that; `data/thesaurus.py` made it. The list is
    the same for every model, where neighbours in a model's own embeddings would not be, and would name
    opposites too.
    """

    name: ClassVar[str] = "synonyms"
    entities: ClassVar[bool] = False

    def able(self, words: pa.Array) -> np.ndarray:
        """Tell which words, with or without a mark after them, are in the list."""
        stems = pc.struct_field(pc.extract_regex(words, _WORD), "stem")
        known, _ = _thesaurus()
        found: np.ndarray = pc.is_in(pc.utf8_lower(stems), value_set=known).to_numpy(zero_copy_only=False)
        return found

    def change(self, words: pa.Array, noise: np.ndarray) -> pa.Array:
        """Choose one of each word's synonyms, in the word's case."""
        parts = pc.extract_regex(words, _WORD)
        stems, ends = (pc.struct_field(parts, name) for name in ("stem", "end"))
        known, lists = _thesaurus()
        entry = pc.index_in(pc.utf8_lower(stems), value_set=known).to_numpy(zero_copy_only=False)
        offsets = lists.offsets.to_numpy()
        counts = (offsets[entry + 1] - offsets[entry]).astype(np.uint64)
        place = offsets[entry] + (noise % counts).astype(np.int64)
        chosen = lists.values.take(pa.array(place, pa.int64()))
        chosen = pc.if_else(pc.utf8_is_upper(stems), pc.utf8_upper(chosen), chosen)
        title = pc.and_(pc.utf8_is_title(stems), pc.invert(pc.utf8_is_upper(stems)))
        return pc.binary_join_element_wise(pc.if_else(title, pc.utf8_capitalize(chosen), chosen), ends, "")


@cache
def _thesaurus() -> tuple[pa.Array, pa.ListArray]:
    """Read the words and their synonyms."""
    table = pq.read_table(Path(__file__).with_name("synonyms.parquet"))
    return table["word"].combine_chunks(), table["synonyms"].combine_chunks()
