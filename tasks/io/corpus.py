"""From sources to the distinct texts of a corpus, in flat memory; the texts wait on disk until all were seen.

Of texts that are equal after normalization the first stays. A text's split follows from its hash, as that of
an agent's row does: with the same shares what an agent holds out is held out here.
"""

import logging
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from models.adapters.rows import ENCODING
from models.errors import DataError
from models.schemas import ArtifactRef, SourceConfig
from models.schemas.base import Record
from models.schemas.pretrain import Corpus
from models.text_hash import SPLITS, hash_texts, join_tokens, text_hashes
from tasks.io import quarantine as reasons
from tasks.io.digests import folder_digest
from tasks.io.duplicates import EXACT, KEEP, DuplicateSearch, sort_hashes
from tasks.io.folders import move_whole
from tasks.io.ingest_blocks import assigned, source_names
from tasks.io.quarantine import Quarantine
from tasks.io.snapshot_store import QUARANTINE, work_folder
from tasks.io.sources import Part, open_source
from tasks.io.sources.base import LINE, TEXTS, bad_rows
from tasks.io.threads import in_order
from tasks.io.validation import unreadable_rows

DOCUMENTS = "documents.parquet"
EMPTY = "empty text"
logger = logging.getLogger(__name__)

_NAMED = pa.dictionary(pa.int32(), pa.string())
_WAITING = pa.schema(
    [
        (LINE, pa.int64()),
        ("text_hash", pa.uint64()),
        ("split", pa.int8()),
        ("source", pa.string()),
        ("domain", pa.string()),
        ("text", pa.string()),
    ]
)
_DOCUMENTS = pa.schema(
    [
        ("text_hash", pa.uint64()),
        ("split", _NAMED),
        ("source", _NAMED),
        ("domain", _NAMED),
        ("text", pa.string()),
    ]
)


class Shares(Record):
    """How texts are split, and how many may be bad.

    Args:
        validation: Share of texts for validation (fraction, 0-1).
        test: Share of held-out texts (fraction, 0-1).
        quarantine: Highest share of bad texts (fraction, 0-1).
    """

    validation: float
    test: float
    quarantine: float


@dataclass(frozen=True)
class _Block:
    """Texts of one part of a source in _WAITING, their hashes as they came, and the bad ones."""

    rows: pa.Table
    raw: np.ndarray
    bad: pa.Table
    file: str


@dataclass(frozen=True)
class _Place:
    source: str
    file: str
    rows: int


def gather_texts(name: str, sources: Sequence[SourceConfig], shares: Shares, home: Path) -> Corpus:
    """Read, check, split and store the distinct texts of sources.

    Args:
        name: Who asks; names the kept quarantine of a failure.
        sources: Where texts come from.
        shares: How they are split, and how many may be bad.
        home: Root of the state; the corpus goes to `home/snapshots/<digest>`.

    Raises:
        ConfigError: A source's format can't be told.
        DataError: A source can't be read, there is no text, or too many are bad.
        TransientError: A database is busy or can't be reached.
    """
    with work_folder(home) as work:
        content = work / "content"
        content.mkdir()
        with Quarantine(content / QUARANTINE) as quarantine:
            places, codes = _let_wait(sources, shares, work, quarantine)
            splits = _write(work / "texts.arrow", places, codes, content, quarantine)
        found = quarantine.reasons.total()
        _check(name, splits.total(), quarantine, shares, home / "quarantine", content)
        digest = folder_digest(content)
        final = home / "snapshots" / digest
        move_whole(content, final)
    logger.info("Gathered %d texts of %d; %d in quarantine", splits.total(), splits.total() + found, found)
    return Corpus(
        artifact=ArtifactRef(address=str(final), digest=digest),
        documents=splits.total(),
        quarantined=found,
        reasons=dict(sorted(quarantine.reasons.items())),
        split_counts={split: splits[split] for split in SPLITS},
    )


def _let_wait(
    sources: Sequence[SourceConfig], shares: Shares, work: Path, quarantine: Quarantine
) -> tuple[list[_Place], np.ndarray]:
    """Write all readable texts to disk, and find which repeat an earlier one."""
    places: list[_Place] = []
    hashes = work / "hashes"
    hashes.mkdir()
    with ExitStack() as stack:
        writer = stack.enter_context(pa.ipc.new_file(work / "texts.arrow", _WAITING))
        search = stack.enter_context(DuplicateSearch(hashes))
        for source, block in _blocks(sources, shares):
            quarantine.add(block.bad, source, block.file)
            if not block.rows.num_rows:
                continue
            writer.write_table(block.rows.combine_chunks())
            own = np.asarray(block.rows["text_hash"])
            search.add(sort_hashes(own, block.raw, np.zeros(len(own), np.uint64)))
            places.append(_Place(source, block.file, block.rows.num_rows))
        return places, search.find().codes


def _blocks(sources: Sequence[SourceConfig], shares: Shares) -> Iterator[tuple[str, _Block]]:
    """Read all sources in order; reading, checking and hashing overlap in threads."""
    names = source_names(sources)

    def work() -> Iterator[Callable[[], tuple[str, _Block]]]:
        for source, name in zip(sources, names, strict=True):
            for part in open_source(source, TEXTS).parts():
                yield partial(_block, part, source, name, shares)

    return in_order(work())


def _block(part: Part, source: SourceConfig, name: str, shares: Shares) -> tuple[str, _Block]:
    """Put unreadable and empty texts aside and hash the others."""
    raw = part()
    rows = raw.rows
    if "tokens" in rows.column_names:
        rows = pa.table({LINE: rows[LINE], "text": join_tokens(rows["tokens"].combine_chunks())})
    broken = unreadable_rows(rows.combine_chunks())
    bad = [raw.bad, bad_rows(rows.filter(pa.array(broken)), [ENCODING] * int(broken.sum()))]
    rows = rows.filter(pa.array(~broken))
    empty = pc.fill_null(pc.equal(pc.utf8_trim_whitespace(rows["text"]), ""), True)
    bad.append(bad_rows(rows.filter(empty), [EMPTY] * int(pc.sum(empty).as_py() or 0)))
    rows = rows.filter(pc.invert(empty)).combine_chunks()
    texts = rows["text"].combine_chunks()
    given = rows["domain"] if "domain" in rows.column_names else pa.nulls(len(rows), pa.string())
    domain = pc.coalesce(given, pa.scalar(source.domain, pa.string()))
    documents = rows["document"].combine_chunks() if "document" in rows.column_names else None
    hashes = text_hashes(texts)
    split = assigned(source, hashes, documents, (shares.validation, shares.test))
    columns = [rows[LINE], hashes, split, pa.repeat(name, len(rows)), domain, texts]
    table = pa.table(columns, schema=_WAITING)
    return name, _Block(table, hash_texts(texts), pa.concat_tables(bad), raw.file)


def _write(
    waiting: Path, places: list[_Place], codes: np.ndarray, out: Path, quarantine: Quarantine
) -> Counter[str]:
    """Write the first of equal texts and put the others into the quarantine; count texts by split."""
    counts: Counter[str] = Counter(dict.fromkeys(SPLITS, 0))
    first = 0
    file = pa.ipc.open_file(pa.memory_map(str(waiting)))
    with pq.ParquetWriter(out / DOCUMENTS, _DOCUMENTS, compression="snappy", store_schema=False) as writer:
        for number, place in enumerate(places):
            rows = pa.table(file.get_batch(number))
            own = np.array(codes[first : first + place.rows])
            first += place.rows
            again = rows.filter(pa.array(own != KEEP)).select([LINE, "text"])
            why = [reasons.EXACT if code == EXACT else reasons.NORMALIZED for code in own[own != KEEP]]
            quarantine.add(bad_rows(again, why), place.source, place.file)
            kept = rows.filter(pa.array(own == KEEP))
            split = np.asarray(kept["split"])
            named = pa.DictionaryArray.from_arrays(pa.array(split.astype(np.int32)), pa.array(SPLITS))
            table = kept.set_column(kept.column_names.index("split"), "split", named)
            writer.write_table(table.select(_DOCUMENTS.names).cast(_DOCUMENTS))
            counts.update({name: int((split == i).sum()) for i, name in enumerate(SPLITS)})
    return counts


def _check(  # noqa: PLR0913, PLR0917 - what is refused, and where it is kept for looking
    name: str, documents: int, quarantine: Quarantine, shares: Shares, kept: Path, content: Path
) -> None:
    """Refuse a corpus without texts or with too many bad ones; its quarantine is kept for looking.

    Raises:
        DataError: It is one of these.
    """
    seen = documents + quarantine.reasons.total()
    if not seen:
        raise DataError(f"The sources of {name!r} hold no texts. Check their addresses and query.")
    share = quarantine.bad / seen
    if documents and share <= shares.quarantine:
        return
    kept.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(content / QUARANTINE, kept / f"{name}.parquet")
    (reason, count), *_ = quarantine.bad_reasons.most_common(1)
    example = quarantine.examples[reason]
    raise DataError(
        f"{quarantine.bad} of {seen} texts are bad ({share:.1%}); max_quarantine_share is "
        f"{shares.quarantine:.1%}. The commonest reason is {reason!r} ({count} times), first in "
        f"{example.file}, line {example.line}. Mend the source or its text_column, or raise the limit. "
        f"All of them: {kept / name}.parquet"
    )
