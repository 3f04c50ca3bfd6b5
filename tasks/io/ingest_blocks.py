"""The part of ingest that runs beside itself in threads: parts of sources become checked, hashed blocks."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from models.adapters import get_adapter
from models.schemas import AgentConfig, SourceConfig
from models.text_hash import SPLITS, split_codes, text_hashes
from tasks.io.quarantine import RETIRED
from tasks.io.sources import Part, format_of, open_source
from tasks.io.sources.base import LINE
from tasks.io.sources.snapshot import ORIGIN, SPLIT
from tasks.io.threads import in_order
from tasks.io.validation import validate
from tasks.io.waiting import Waiting, let_wait

OLD_ROWS = "earlier rows"
_UNKNOWN = ("unknown label", "unknown tag")


@dataclass(frozen=True)
class Block:
    """Rows of one file after validation.

    Args:
        rows: `line`, `text_hash`, `split_code` (int8, position in SPLITS), `source`, `domain`, `time` and the
            adapter's columns.
        bad: The others, in BAD_SCHEMA.
        waiting: The rows for the spool, where they have to wait.
        source: The source's short name.
        file: The file's name.
    """

    rows: pa.Table
    bad: pa.Table
    waiting: Waiting | None
    source: str
    file: str


def read_blocks(config: AgentConfig, sources: Sequence[SourceConfig], *, wait: bool) -> Iterator[Block]:
    """Read all sources in order; reading, checking and hashing overlap in threads.

    Args:
        config: The agent.
        sources: Where rows come from.
        wait: Whether rows have to wait until all have been seen.
    """
    opened = [open_source(source, config.adapter) for source in sources]

    def work() -> Iterator[Callable[[], Block]]:
        for reader, source, name in zip(opened, sources, source_names(sources), strict=True):
            for part in reader.parts():
                yield partial(_make, part, (config, source, name), wait)

    return in_order(work())


def source_names(sources: Sequence[SourceConfig]) -> list[str]:
    """Give each source a short name that says nothing about where this machine keeps it.

    The file's name without suffixes, with as many folders before it as it takes to tell sources apart.
    Old rows have names of their own, so their file must not change the name of another.
    """
    places = [_place(source) for source in sources if source.format != "snapshot"]
    depth = 1
    names = ["/".join(place[-depth:]) for place in places]
    while len(set(names)) < len(set(map(tuple, places))):
        depth += 1
        names = ["/".join(place[-depth:]) for place in places]
    left = iter(names)
    return [OLD_ROWS if source.format == "snapshot" else next(left) for source in sources]


def _place(source: SourceConfig) -> list[str]:
    if format_of(source) == "sql":
        return [_database(source.address), " ".join((source.query or "").split())[:60]]
    if format_of(source) == "huggingface":
        return [*source.address.rstrip("/").split("/"), *([source.query] if source.query else [])]
    *folders, name = source.address.split("?")[0].rstrip("/").split("/")
    return [*folders, name.partition(".")[0] or name]


def _database(address: str) -> str:
    """Name the database of a SQLAlchemy URL, or the variable that holds the URL."""
    try:
        return PurePosixPath(sa.make_url(address).database or "").stem
    except (ArgumentError, ValueError):
        return address


def _make(part: Part, origin: tuple[AgentConfig, SourceConfig, str], wait: bool) -> Block:
    config, source, name = origin
    raw = part()
    checked = validate(raw.rows, config, source)
    rows = checked.rows.combine_chunks()
    adapter = get_adapter(config)
    texts = _whole(adapter.texts(rows))
    hashes = text_hashes(texts)
    columns = {
        "text_hash": pa.array(hashes),
        "split_code": pa.array(_stored_splits(raw.rows, rows, _split_codes(rows, hashes, config, source))),
        "source": _origins(raw.rows, rows, name),
    }
    hashed = pa.table({**columns, **{n: rows[n] for n in rows.column_names}})
    return Block(
        rows=hashed,
        bad=pa.concat_tables(
            [raw.bad, _retired(checked.bad) if source.format == "snapshot" else checked.bad]
        ),
        waiting=let_wait(hashed, texts, adapter) if wait and len(hashed) else None,
        source=name,
        file=raw.file,
    )


def _split_codes(rows: pa.Table, hashes: np.ndarray, config: AgentConfig, source: SourceConfig) -> np.ndarray:
    """Assign rows to splits by their document, where they have one that is not the row's own text."""
    documents = rows["document"] if "document" in rows.column_names else get_adapter(config).documents(rows)
    shares = config.validation_share, config.test_share
    return assigned(source, hashes, None if documents is None else _whole(documents), shares)


def _stored_splits(raw: pa.Table, checked: pa.Table, codes: np.ndarray) -> np.ndarray:
    """Leave rows that were stored once in the split that they had: what is held out is so for life."""
    if SPLIT not in raw.column_names:
        return codes
    place = pc.index_in(_one(checked, LINE), value_set=_one(raw, LINE))
    found = pc.index_in(_one(raw, SPLIT).take(place), value_set=pa.array(SPLITS))
    return np.asarray(found, np.int8)


def assigned(
    source: SourceConfig, hashes: np.ndarray, documents: pa.Array | None, shares: tuple[float, float]
) -> np.ndarray:
    """Assign rows to splits: (rows,) int8 positions in SPLITS.

    Args:
        source: Where they come from; it may hold all or none of its rows out.
        hashes: (rows,) hash of each row's text.
        documents: (rows,) names or texts of what is held out together; a row without one, or all where
            there is no such column, stands for itself.
        shares: Of validation and test.
    """
    if source.held_out:
        return np.full(len(hashes), SPLITS.index("test"), np.int8)
    if documents is not None:
        named = pc.fill_null(pc.greater(pc.binary_length(documents), 0), False).to_numpy(zero_copy_only=False)
        hashes = np.where(named, text_hashes(pc.fill_null(documents, "")), hashes)
    return split_codes(hashes, shares[0], 0.0 if source.held_out is False else shares[1])


def _retired(bad: pa.Table) -> pa.Table:
    """Tell old rows, whose label was known once, from rows that are wrong."""
    unknown = pc.is_in(bad["reason"], value_set=pa.array(_UNKNOWN))
    place = bad.schema.get_field_index("reason")
    return bad.set_column(place, "reason", pc.if_else(unknown, RETIRED, bad["reason"]))


def _origins(raw: pa.Table, checked: pa.Table, name: str) -> pa.DictionaryArray:
    """Name the source of each row that held: what is stored with it, else `name`."""
    if ORIGIN not in raw.column_names:
        return pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(checked), np.int32)), pa.array([name]))
    place = pc.index_in(_one(checked, LINE), value_set=_one(raw, LINE))
    return _one(raw, ORIGIN).take(place).dictionary_encode()


def _one(rows: pa.Table, name: str) -> pa.Array:
    return _whole(rows[name])


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
