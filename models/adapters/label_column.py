"""A column of texts and a column with one label a text: renaming the labels, measuring the texts."""

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from models.text_encoding import holds


def map_labels(labels: pa.Array, renames: Mapping[str, str]) -> pa.DictionaryArray:
    """Rename on the distinct labels only; an empty label counts as missing."""
    trimmed = pc.utf8_trim_whitespace(labels)
    coded = pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed).dictionary_encode()
    # Several names may become one, and a dictionary holds each name once.
    renamed = [renames.get(name, name) for name in coded.dictionary.to_pylist()]
    names = pa.array(renamed, pa.string()).dictionary_encode()
    return pa.DictionaryArray.from_arrays(names.indices.take(coded.indices), names.dictionary)


def measure_texts(texts: pa.StringArray) -> dict[str, pa.Array]:
    """Give `text`, the length without blanks at the ends (null where there is none), and `damaged`."""
    return {
        "text": pc.binary_length(pc.utf8_trim_whitespace(texts)),
        "damaged": pa.array(holds(texts, "\x00") | holds(texts, "\ufffd")),
    }
