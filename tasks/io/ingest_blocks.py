"""The part of ingest that runs beside itself in threads: parts of sources become checked, hashed blocks."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import TypeVar

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from models.schemas import AgentConfig, SourceConfig
from models.text_hash import hash_texts, join_tokens, text_hashes
from tasks.io.sources import Part, format_of, open_source
from tasks.io.validation import validate

T = TypeVar("T")

WORKERS = 2
_AHEAD = 2


@dataclass(frozen=True)
class Block:
    """Rows of one file after validation.

    Args:
        rows: `line`, `text_hash`, `source`, `domain`, `time` and the adapter's columns.
        bad: The others, in BAD_SCHEMA.
        raw: (rows,) uint64 hash of the text as it came; empty if duplicates are not looked for.
        label: (rows,) uint64 hash of label or tags; empty likewise.
        source: The source's short name.
        file: The file's name.
    """

    rows: pa.Table
    bad: pa.Table
    raw: np.ndarray
    label: np.ndarray
    source: str
    file: str


def read_blocks(config: AgentConfig, sources: Sequence[SourceConfig], *, compare: bool) -> Iterator[Block]:
    """Read all sources in order; reading, checking and hashing overlap in threads.

    Args:
        config: The agent.
        sources: Where rows come from.
        compare: Whether to hash what the search for duplicates needs.
    """
    opened = [open_source(source, config.adapter) for source in sources]

    def work() -> Iterator[Callable[[], Block]]:
        for reader, source, name in zip(opened, sources, source_names(sources), strict=True):
            for part in reader.parts():
                yield partial(_make, part, (config, source, name), compare)

    return in_order(work())


def source_names(sources: Sequence[SourceConfig]) -> list[str]:
    """Give each source a short name that says nothing about where this machine keeps it.

    The file's name without suffixes, with as many folders before it as it takes to tell sources apart.
    """
    places = [_place(source) for source in sources]
    depth = 1
    names = ["/".join(place[-depth:]) for place in places]
    while len(set(names)) < len(set(map(tuple, places))):
        depth += 1
        names = ["/".join(place[-depth:]) for place in places]
    return names


def _place(source: SourceConfig) -> list[str]:
    if format_of(source) == "sql":
        url = sa.make_url(source.address)
        return [PurePosixPath(url.database or "").stem, " ".join((source.query or "").split())[:60]]
    if format_of(source) == "huggingface":
        return [*source.address.rstrip("/").split("/"), *([source.query] if source.query else [])]
    *folders, name = source.address.split("?")[0].rstrip("/").split("/")
    return [*folders, name.partition(".")[0] or name]


def _make(part: Part, origin: tuple[AgentConfig, SourceConfig, str], compare: bool) -> Block:
    config, source, name = origin
    raw = part()
    checked = validate(raw.rows, config, source)
    rows = checked.rows.combine_chunks()
    texts = _one(rows, "text") if "text" in rows.column_names else join_tokens(_one(rows, "tokens"))
    none = np.zeros(0, np.uint64)
    columns = {
        "text_hash": pa.array(text_hashes(texts)),
        "source": pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(rows), np.int32)), pa.array([name])),
    }
    return Block(
        rows=pa.table({**columns, **{n: rows[n] for n in rows.column_names}}),
        bad=pa.concat_tables([raw.bad, checked.bad]),
        raw=hash_texts(texts) if compare else none,
        label=_label_hashes(rows) if compare else none,
        source=name,
        file=raw.file,
    )


def _label_hashes(rows: pa.Table) -> np.ndarray:
    if "label" in rows.column_names:
        labels = _one(rows, "label")
        if not len(labels):
            return np.zeros(0, np.uint64)
        of_names: np.ndarray = hash_texts(labels.dictionary.fill_null(""))
        taken: np.ndarray = of_names[labels.indices.to_numpy()]
        return taken
    return hash_texts(join_tokens(_one(rows, "tags")))


def _one(rows: pa.Table, name: str) -> pa.Array:
    column = rows[name]
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def in_order(work: Iterator[Callable[[], T]]) -> Iterator[T]:
    """Run calls in threads and give their results in order, few of them waiting at any time."""
    waiting: deque[Future[T]] = deque()
    with ThreadPoolExecutor(WORKERS) as pool:
        try:
            for call in work:
                waiting.append(pool.submit(call))
                if len(waiting) > WORKERS + _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
