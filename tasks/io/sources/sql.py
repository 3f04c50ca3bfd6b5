"""Source `sql`: a table or a SELECT, streamed by SQLAlchemy; a row's number takes the place of its line."""

import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError, SQLAlchemyError

from models.errors import DataError, MissingExtraError, TransientError
from models.schemas import SourceConfig
from models.schemas.agent import AdapterName
from models.schemas.source import VARIABLE
from tasks.io.sources.address import Filled, fill
from tasks.io.sources.base import LINE, Part, RawBatch, bad_lines, check_columns, wanted_columns
from tasks.io.sources.columnar import raw_batch

BATCH_ROWS = 20_000
WRONG_TYPE = "wrong type of value"
_REFUSED = re.compile(
    r"authentication failed|no password supplied|no pg_hba\.conf entry|not permitted to log in"
    r"|(role|database) \"[^\"]*\" does not exist|Access denied|Unknown database"
)


class SqlSource:
    """Rows of a table or query.

    Args:
        config: `address` is a SQLAlchemy URL, `query` a table's name or a SELECT.
        adapter: The task type, which decides the columns.

    Raises:
        DataError: There is no query.
    """

    def __init__(self, config: SourceConfig, adapter: AdapterName) -> None:
        self.wanted = wanted_columns(config, adapter)
        self.where = config.address
        if not config.query:
            raise DataError(f"{self.where}: set `query` to a table's name or a SELECT.")
        self.query = config.query.strip().rstrip(";")

    def parts(self) -> Iterator[Part]:
        """Stream the result in batches.

        Raises:
            ConfigError: The URL names an environment variable that is not set.
            DataError: The URL can't be used, or the database refuses the query.
            TransientError: It can't be reached or is busy.
        """
        filled, url = fill(self.where), _read_url(self.where)
        _check_file(url, filled)
        try:
            engine = sa.create_engine(url)
        except (ImportError, NoSuchModuleError) as error:
            raise MissingExtraError(f"{self.where} needs a driver that is not installed: {error}") from error
        if url.get_backend_name() == "sqlite":
            sa.event.listen(engine, "connect", _keep_broken_text)
        try:
            yield from self._rows(engine)
        except OperationalError as error:
            kind = TransientError if can_pass(error, url.get_backend_name()) else DataError
            raise kind(f"{self.where}: {filled.hide(error.orig)}") from filled.cause(error)
        except SQLAlchemyError as error:
            told = filled.hide(str(error).partition("\n")[0])
            raise DataError(f"{self.where}: {told}") from filled.cause(error)
        finally:
            engine.dispose()

    def _rows(self, engine: sa.Engine) -> Iterator[Part]:
        with engine.connect().execution_options(stream_results=True, yield_per=BATCH_ROWS) as connection:
            result = connection.execute(self._statement())
            names = list(result.keys())
            check_columns(self.wanted, names, f"{self.where} ({self.query})")
            first = 1
            for rows in result.partitions():
                columns = dict(zip(names, zip(*rows, strict=True), strict=True))
                yield partial(_batch, {r: columns[c] for r, c in self.wanted.items()}, first, self.query[:80])
                first += len(rows)

    def _statement(self) -> sa.Executable:
        if len(self.query.split()) > 1:
            if self.query.split()[0].lower() not in ("select", "with"):
                raise DataError(
                    f"{self.where}: query is {self.query[:60]!r}; only SELECT statements are run."
                )
            return sa.text(self.query.replace(":", r"\:"))  # a colon of the user's names no parameter
        schema, _, name = self.query.rpartition(".")
        return sa.select(sa.text("*")).select_from(sa.table(name, schema=schema or None))


def _read_url(address: str) -> sa.URL:
    """Fill in the variables of a URL; in a part of it, such as the password, one stands for just that part.

    Raises:
        ConfigError: One is not set.
        DataError: The address is no URL.
    """
    if VARIABLE.fullmatch(address):
        return _parsed(fill(address).text)
    url = _parsed(address)
    query = {
        name: fill(value).text if isinstance(value, str) else [fill(item).text for item in value]
        for name, value in url.query.items()
    }
    return url.set(
        username=_filled(url.username),
        password=_filled(url.password),
        host=_filled(url.host),
        database=_filled(url.database),
        query=query,
    )


def _filled(part: str | None) -> str | None:
    return fill(part).text if part else None


def _parsed(text: str) -> sa.URL:
    try:
        return sa.make_url(text)
    except (ArgumentError, ValueError):
        # The error may repeat what a variable holds.
        raise DataError(
            "The address of a sql source is no SQLAlchemy URL (dialect://user:${PASSWORD}@host/base)."
        ) from None


def _check_file(url: sa.URL, address: Filled) -> None:
    base = url.database
    if url.get_backend_name() == "sqlite" and base and base != ":memory:" and not Path(base).is_file():
        # Connecting would make an empty database.
        raise DataError(f"There is no SQLite file {address.hide(base)}.")


def _keep_broken_text(connection: Any, _record: object) -> None:  # noqa: ANN401 - a driver's connection
    connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")


def can_pass(error: OperationalError, backend: str) -> bool:
    """Say whether a database may answer later: never after a refused login or for an unknown database."""
    said = str(error.orig)
    if backend == "sqlite":
        return any(word in said for word in ("locked", "busy"))
    state = str(getattr(error.orig, "sqlstate", None) or "")
    # Before there is a connection, drivers give words alone.
    return not (state.startswith("28") or state == "3D000" or _REFUSED.search(said))


def _batch(columns: dict[str, Sequence[object]], first: int, file: str) -> RawBatch:
    """Make typed columns; where values of one column differ in type, look at each."""
    arrays, wrong = {}, set()
    for role, values in columns.items():
        try:
            arrays[role] = pa.array(values)
        except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError):
            arrays[role] = pa.array([_as_bytes(v) for v in values], pa.binary())
            wrong |= {i for i, v in enumerate(values) if v is not None and _as_bytes(v) is None}
    batch = raw_batch(pa.table(arrays), {role: role for role in arrays}, first, file)
    if not wrong:
        return batch
    lines = sorted(first + i for i in wrong)
    kept = pa.compute.invert(pa.compute.is_in(batch.rows[LINE], pa.array(lines, pa.int64())))
    contents = [repr(tuple(v[n - first] for v in columns.values())).encode() for n in lines]
    bad = bad_lines(lines, [WRONG_TYPE] * len(lines), contents)
    return RawBatch(batch.rows.filter(kept), pa.concat_tables([batch.bad, bad]), file)


def _as_bytes(value: object) -> bytes | None:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    if isinstance(value, bytes):
        return value
    return str(value).encode() if isinstance(value, int) else None
