"""From a snapshot's rows to memory-mapped windows, one Arrow file a split, in flat memory."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from models.adapters import get_adapter
from models.errors import ArtifactError, DataError
from models.schemas import AgentConfig
from models.task_model import agent_tokenizer

SPLITS = ("train", "validation", "test")
_ROWS_AT_ONCE = 4096


@dataclass(frozen=True)
class EncodedCounts:
    """Windows and sub-words by split, and what could not be used by reason; as in EncodedDataset."""

    windows: dict[str, int]
    tokens: dict[str, int]
    unusable: dict[str, int]


def encode_snapshot(
    config: AgentConfig, rows_path: Path, out: Path, more: Path | None = None
) -> EncodedCounts:
    """Tokenize a snapshot's rows.parquet into `<split>.arrow` files in `out`, block by block.

    Args:
        config: The agent.
        rows_path: The snapshot's rows.
        out: Folder of the files.
        more: Further rows to train on; they are counted after the snapshot's.

    Raises:
        ConfigError: The tokenizer can not be loaded.
        DataError: A row's label is not one of the config's, or its split is unknown.
    """
    adapter, tokenizer = get_adapter(config), agent_tokenizer(config)
    windows, tokens = (Counter(dict.fromkeys(SPLITS, 0)) for _ in range(2))
    unusable: Counter[str] = Counter()
    out.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        file = stack.enter_context(_open_rows(rows_path))
        writers = {
            split: stack.enter_context(pa.ipc.new_file(out / f"{split}.arrow", adapter.windows))
            for split in SPLITS
        }
        added = stack.enter_context(_open_rows(more)) if more else None
        first_row = 0
        for rows in _blocks(file, added, adapter.columns().names):
            encoding = adapter.encode(rows, tokenizer, first_row)
            unusable.update(encoding.unusable)
            for split, chosen in _by_split(encoding.windows, rows["split"], first_row).items():
                writers[split].write_table(chosen)
                windows[split] += chosen.num_rows
                tokens[split] += pc.sum(pc.list_value_length(chosen["input_ids"])).as_py()
            first_row += rows.num_rows
    return EncodedCounts(dict(windows), dict(tokens), dict(unusable))


def read_windows(folder: Path, split: str) -> pa.Table:
    """Map a split's windows into memory; nothing is read before it is used.

    Raises:
        ArtifactError: The file is missing or is not an Arrow file.
    """
    path = folder / f"{split}.arrow"
    try:
        return pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    except (FileNotFoundError, pa.ArrowInvalid) as error:
        raise ArtifactError(f"{path} holds no windows ({error}); run preprocess again.") from error


def _blocks(file: pq.ParquetFile, added: pq.ParquetFile | None, names: list[str]) -> Iterator[pa.Table]:
    """Read a snapshot's rows, then those that were added to train on."""
    for batch in file.iter_batches(_ROWS_AT_ONCE, columns=["split", *names]):
        yield pa.Table.from_batches([batch])
    for batch in added.iter_batches(_ROWS_AT_ONCE, columns=names) if added else ():
        yield pa.Table.from_batches([batch]).append_column("split", pa.repeat("train", batch.num_rows))


def _open_rows(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except (FileNotFoundError, pa.ArrowInvalid) as error:
        raise ArtifactError(f"{path} holds no rows ({error}); run ingest again.") from error


def _by_split(windows: pa.Table, splits: pa.ChunkedArray, first_row: int) -> dict[str, pa.Table]:
    found = pc.index_in(splits, value_set=pa.array(SPLITS)).combine_chunks()
    if found.null_count:
        unknown = splits.filter(pc.is_null(found))[0].as_py()
        raise DataError(f"Split {unknown!r} is not one of {', '.join(SPLITS)}; run ingest again.")
    split_of_window = found.to_numpy()[windows["row"].to_numpy() - first_row]
    chosen = {split: windows.filter(pa.array(split_of_window == i)) for i, split in enumerate(SPLITS)}
    return {split: table for split, table in chosen.items() if table.num_rows}
