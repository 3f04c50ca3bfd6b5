"""What a block leaves on disk while its rows wait: made in the threads that check blocks, written by one."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.adapters import TaskAdapter
from models.text_hash import hash_texts, join_tokens
from tasks.io.duplicates import SortedHashes, sort_hashes


@dataclass(frozen=True)
class Waiting:
    """A block's rows, their hashes and their times.

    Args:
        stream: The rows as an Arrow stream.
        hashes: What the search for duplicates compares.
        micros: (rows,) int64 microseconds since 1970, 0 where there is no time.
        codes: (rows,) int8 split of each row, where splits do not go by time.
    """

    stream: pa.Buffer
    hashes: SortedHashes
    micros: np.ndarray
    codes: np.ndarray


def let_wait(rows: pa.Table, texts: pa.StringArray, adapter: TaskAdapter) -> Waiting:
    """Make what the spool writes.

    Args:
        rows: Checked rows with `text_hash`, `split_code` and `time`.
        texts: (rows,) the text of each as it came.
        adapter: Says which column is the truth.
    """
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows)
    hashes = sort_hashes(
        np.asarray(rows["text_hash"]), hash_texts(texts), _truth_hashes(rows[adapter.truth()])
    )
    return Waiting(sink.getvalue(), hashes, micros(rows), np.asarray(rows["split_code"]))


def waiting_rows(stream: pa.Buffer) -> pa.Table:
    """Read a block's rows back."""
    return pa.ipc.open_stream(stream).read_all()


def micros(rows: pa.Table) -> np.ndarray:
    """Give times as microseconds since 1970: (rows,) int64, 0 where there is none."""
    return np.asarray(pc.fill_null(rows["time"].cast("int64"), 0), np.int64)


def _truth_hashes(truth: pa.ChunkedArray) -> np.ndarray:
    """Hash what each row says is right: (rows,) uint64; a name that repeats is hashed once."""
    if pa.types.is_list(truth.type):
        return hash_texts(join_tokens(truth.combine_chunks()))
    if not pa.types.is_dictionary(truth.type):
        return hash_texts(pc.fill_null(truth, "").combine_chunks())
    found = np.zeros(len(truth), np.uint64)
    place = 0
    for chunk in truth.chunks:
        names = hash_texts(chunk.dictionary.fill_null(""))
        found[place : place + len(chunk)] = names[chunk.indices.to_numpy()]
        place += len(chunk)
    return found
