"""From distinct texts to sub-words on disk, in flat memory: blocks to learn from, texts to be judged by."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from transformers import PreTrainedTokenizerBase

from models.errors import ArtifactError, DataError
from models.pretrain.blocks import BLOCKS_AT_ONCE, EMPTY, block_schema
from models.pretrain.objectives import make_objective
from models.ragged import Ragged
from models.schemas.pretrain import PretrainConfig
from models.slices import name_text_slices

TOKENIZER = "tokenizer"
DOCUMENTS = "documents.parquet"
_COLUMNS = ("text_hash", "split", "source", "domain", "text")
_TEXTS_AT_ONCE = 4096
TEXT_SCHEMA = pa.schema(
    [("text_hash", pa.uint64()), ("slices", pa.list_(pa.string())), ("input_ids", pa.list_(pa.int32()))]
)


@dataclass
class PackedCounts:
    """Blocks, and sub-words and texts by split, as in PackedCorpus."""

    blocks: int = 0
    tokens: dict[str, int] = field(default_factory=lambda: {"train": 0, "validation": 0, "test": 0})
    texts: dict[str, int] = field(default_factory=lambda: {"train": 0, "validation": 0, "test": 0})


def training_texts(documents: Path) -> Iterator[list[str]]:
    """Read the texts of the train split, block by block."""
    for rows in _batches(documents):
        yield rows.filter(pc.equal(rows["split"], "train"))["text"].to_pylist()


def pack(
    config: PretrainConfig, documents: Path, tokenizer: PreTrainedTokenizerBase, out: Path
) -> PackedCounts:
    """Tokenize texts; those to learn from stand end to end, a separator behind each, cut into full blocks.

    As FULL-SENTENCES of Liu et al., "RoBERTa", 2019, arXiv:1907.11692, sec. 4.2, texts' borders within a
    block are told by the separator alone. Only the last block may be shorter.

    Args:
        config: Objective, block length, and how many held-out texts are scored.
        documents: documents.parquet of a corpus.
        tokenizer: The model's.
        out: Folder for the files.

    Raises:
        ConfigError: The tokenizer lacks what the objective needs.
        DataError: A split has no text.
    """
    objective = make_objective(config, tokenizer)
    counts, most = PackedCounts(), _scored(config, documents)
    frequencies = np.zeros(len(tokenizer), np.int64)
    with _Blocks(out / "train.arrow", objective.body_length) as blocks, _Texts(out) as texts:
        for rows in _batches(documents):
            ids = _encoded(rows["text"].to_pylist(), tokenizer)
            splits = rows["split"].to_numpy(zero_copy_only=False)
            learned = ids.keep(splits == "train")
            stream = np.insert(learned.values, learned.offsets[1:], objective.separator)
            frequencies += np.bincount(stream, minlength=len(frequencies))
            blocks.add(stream)
            counts.texts["train"] += len(learned.lengths)
            counts.tokens["train"] += len(stream)
            for split, last in most.items():
                chosen = (splits == split) & (rows["text_hash"].to_numpy() <= last)
                texts.add(split, rows.filter(pa.array(chosen)), ids.keep(chosen), counts)
        counts.blocks = blocks.finish()
    _check(counts)
    with pa.ipc.new_file(out / "frequencies.arrow", pa.schema([("count", pa.int64())])) as writer:
        writer.write_table(pa.table({"count": frequencies}))
    tokenizer.save_pretrained(out / TOKENIZER)
    return counts


def read_frequencies(folder: Path) -> np.ndarray:
    """Read how often each sub-word stands in the blocks: (vocabulary,) int64."""
    counts: np.ndarray = _mapped(folder / "frequencies.arrow")["count"].to_numpy()
    return counts


def read_texts(folder: Path, split: str) -> pa.Table:
    """Map held-out texts into memory, in TEXT_SCHEMA.

    Raises:
        ArtifactError: The file is missing or is not an Arrow file.
    """
    return _mapped(folder / f"{split}.arrow")


def _mapped(path: Path) -> pa.Table:
    try:
        return pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    except (FileNotFoundError, pa.ArrowInvalid) as error:
        raise ArtifactError(f"{path} can not be read ({error}); pack the corpus again.") from error


def _scored(config: PretrainConfig, documents: Path) -> dict[str, int]:
    """Give the highest hash of the texts that are scored of each split: those of the lowest hashes.

    So the same texts are scored again when a corpus grows, as far as they are still among the lowest.
    """
    rows = pq.read_table(documents, columns=["text_hash", "split"])
    found = {}
    for split, most in {"validation": config.validation_texts, "test": config.judged_texts}.items():
        hashes = rows.filter(pc.equal(rows["split"], split))["text_hash"].to_numpy()
        found[split] = int(np.sort(hashes)[:most][-1]) if len(hashes) else -1
    return found


def _batches(documents: Path) -> Iterator[pa.Table]:
    try:
        file = pq.ParquetFile(documents)
    except (FileNotFoundError, pa.ArrowInvalid) as error:
        raise ArtifactError(f"{documents} holds no texts ({error}); ingest again.") from error
    with file:
        for batch in file.iter_batches(_TEXTS_AT_ONCE, columns=list(_COLUMNS)):
            yield pa.table(batch)


def _encoded(texts: list[str], tokenizer: PreTrainedTokenizerBase) -> Ragged:
    """Tokenize without special sub-words; one written in a text is read as text."""
    backend = tokenizer.backend_tokenizer
    backend.no_truncation()
    backend.no_padding()
    backend.encode_special_tokens = True
    found = [one.ids for one in backend.encode_batch_fast(texts, add_special_tokens=False)]
    lengths = np.fromiter(map(len, found), np.int64, len(found))
    return Ragged.from_lengths(np.fromiter(chain.from_iterable(found), np.int64, int(lengths.sum())), lengths)


def _check(counts: PackedCounts) -> None:
    for split, count in counts.tokens.items():
        if not count:
            raise DataError(
                f"The {split} split has 0 sub-words; at least 1 is needed. Add texts, or change "
                "validation_share and test_share."
            )


class _Blocks:
    """Writes a stream of sub-words as blocks of one length; what is too little for one waits."""

    def __init__(self, path: Path, length: int) -> None:
        self._length = length
        self._schema = block_schema(length)
        self._writer = pa.ipc.new_file(path, self._schema)
        self._waiting = np.zeros(0, np.int32)
        self.blocks = 0

    def __enter__(self) -> "_Blocks":
        return self

    def __exit__(self, *error: object) -> None:
        self._writer.close()

    def add(self, ids: np.ndarray) -> None:
        """Take sub-words in; record batches are of one size, so that a block is found by division."""
        whole = np.concatenate([self._waiting, ids.astype(np.int32)])
        size = self._length * BLOCKS_AT_ONCE
        full = len(whole) // size * size
        for first in range(0, full, size):
            self._write(whole[first : first + size])
        self._waiting = whole[full:]

    def finish(self) -> int:
        """Write what waits, the last block filled up by EMPTY; give the number of blocks."""
        if len(self._waiting):
            missing = -len(self._waiting) % self._length
            self._write(np.concatenate([self._waiting, np.full(missing, EMPTY, np.int32)]))
        return self.blocks

    def _write(self, ids: np.ndarray) -> None:
        column = pa.FixedSizeListArray.from_arrays(pa.array(ids, pa.int32()), self._length)
        self._writer.write_batch(pa.record_batch([column], schema=self._schema))
        self.blocks += len(column)


class _Texts:
    """Writes held-out texts, a file a split."""

    def __init__(self, out: Path) -> None:
        self._writers = {
            split: pa.ipc.new_file(out / f"{split}.arrow", TEXT_SCHEMA) for split in ("validation", "test")
        }

    def __enter__(self) -> "_Texts":
        return self

    def __exit__(self, *error: object) -> None:
        for writer in self._writers.values():
            writer.close()

    def add(self, split: str, rows: pa.Table, ids: Ragged, counts: PackedCounts) -> None:
        """Write texts that have a sub-word."""
        some = ids.lengths > 0
        rows, ids = rows.filter(pa.array(some)), ids.keep(some)
        if not rows.num_rows:
            return
        columns = [rows["text_hash"], name_text_slices(rows), ids.to_arrow(pa.int32())]
        self._writers[split].write_table(pa.table(columns, schema=TEXT_SCHEMA))
        counts.texts[split] += rows.num_rows
        counts.tokens[split] += len(ids.values)
