"""Files at any fsspec address, one after the other, as blocks of whole lines."""

import contextlib
import difflib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import fsspec
import pyarrow as pa

from models.errors import DataError, MissingExtraError
from tasks.io.sources.address import Filled, fill
from tasks.io.sources.faults import can_pass, read_errors, reading_error

BLOCK_BYTES = 8 << 20
LONGEST_LINE = 64 << 20
COMPRESSIONS = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd", ".lz4": "lz4"}


@dataclass(frozen=True)
class File:
    """One file of an address, which may be a glob.

    Args:
        system: The file system.
        place: Where the file lies in it.
        address: The address that named it.
    """

    system: Any
    place: str = field(repr=False)
    address: Filled

    @property
    def path(self) -> str:
        """Give the place as it may be told: an environment variable's value stays hidden."""
        return self.address.hide(self.place)

    @property
    def name(self) -> str:
        """Give the last part of the path."""
        return PurePosixPath(self.path).name


@dataclass(frozen=True)
class Block:
    """Whole lines of a file; `first_line` counts from 1."""

    content: bytes
    first_line: int


def find_files(address: str) -> list[File]:
    """List the files that an address names, by name.

    Raises:
        ConfigError: It names an environment variable that is not set.
        DataError: There is none, or it is a folder.
        TransientError: The network or a server failed.
        MissingExtraError: The address needs a file system that is not installed.
    """
    filled = fill(address)
    try:
        system, path = fsspec.url_to_fs(filled.text)  # type: ignore[no-untyped-call]  # fsspec has no types
        paths = sorted(system.glob(path)) if any(c in path for c in "*?[") else [path]
        files = [File(system, p, filled) for p in paths if not system.isdir(p)]
        missing = [f for f in files if not _is_there(f)]
    except ImportError as error:
        raise MissingExtraError(f"{address} needs a package that is not installed: {error}") from error
    except (*read_errors(), ValueError) as error:  # type: ignore[misc]  # a tuple made where it is needed
        raise reading_error(address, filled, error) from filled.cause(error)
    if not files and paths:
        raise DataError(f"{address} is a folder. Name its files with a glob, for example {address}/*.csv.")
    if not files or missing:
        raise DataError(f"There is no file {address}.{filled.hide(_near(system, path))}")
    return files


def _is_there(file: File) -> bool:
    """Look for a file; unlike the file system's `exists` it tells an absent file from an absent network."""
    if is_local(file.system):
        return bool(file.system.exists(file.place))
    try:
        file.system.info(file.place)
    except FileNotFoundError as error:
        if can_pass(error):
            raise
        return False
    return True


def _near(system: Any, path: str) -> str:  # noqa: ANN401 - fsspec has no types
    parent, _, name = path.rpartition("/")
    with contextlib.suppress(OSError, ValueError):
        names = [PurePosixPath(p).name for p in system.ls(parent, detail=False)]
        near = difflib.get_close_matches(name, names, n=1)
        return f" Did you mean {near[0]}?" if near else ""
    return ""


@contextlib.contextmanager
def opened(file: File) -> Iterator[Any]:
    """Open a file for reading, decompressed by its suffix.

    Raises:
        DataError: It can't be read, or its compression is broken.
        TransientError: The network or a server failed.
    """
    codec = COMPRESSIONS.get(PurePosixPath(file.place).suffix)
    local = is_local(file.system)
    try:
        with (
            pa.OSFile(file.place)
            if local
            else pa.PythonFile(file.system.open(file.place, "rb"), mode="r") as raw
        ):
            yield pa.CompressedInputStream(raw, codec) if codec else raw
    except read_errors() as error:
        raise reading_error(file.path, file.address, error) from file.address.cause(error)


def is_local(system: Any) -> bool:  # noqa: ANN401 - fsspec has no types
    """Say whether a file system is this machine's own."""
    return "file" in ((system.protocol,) if isinstance(system.protocol, str) else system.protocol)


def read_chunks(stream: Any, file: File) -> Iterator[bytes]:  # noqa: ANN401 - a pyarrow stream
    """Read chunks with LF line ends, without a byte order mark; a chunk's end is no line's end.

    Raises:
        DataError: The file is UTF-16.
    """
    first, held = True, b""
    while chunk := stream.read(BLOCK_BYTES):
        if first and chunk.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise DataError(f"{file.path} is UTF-16; save it as UTF-8.")
        chunk = held + (chunk.removeprefix(b"\xef\xbb\xbf") if first else chunk)
        # A final CR may be one half of CR LF; the next chunk tells.
        held = b"\r" if chunk.endswith(b"\r") else b""
        yield _with_line_feeds(chunk[: len(chunk) - len(held)])
        first = False
    if held:
        yield b"\n"


def _with_line_feeds(chunk: bytes) -> bytes:
    return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in chunk else chunk


def line_blocks(stream: Any, file: File) -> Iterator[Block]:  # noqa: ANN401 - a pyarrow stream
    """Cut a stream into blocks that end with a line; a last line without its end gets one.

    Raises:
        DataError: A line is longer than LONGEST_LINE.
    """
    rest, line = b"", 1
    for chunk in read_chunks(stream, file):
        content = rest + chunk
        cut = content.rfind(b"\n") + 1
        rest = content[cut:]
        check_length(rest, line, file)
        if cut:
            yield Block(content[:cut], line)
            line += content.count(b"\n", 0, cut)
    if rest:
        yield Block(rest + b"\n", line)


def check_length(rest: bytes, line: int, file: File) -> None:
    """Refuse what goes on for too long without an end.

    Raises:
        DataError: It is longer than LONGEST_LINE.
    """
    if len(rest) > LONGEST_LINE:
        raise DataError(
            f"{file.path} has over {LONGEST_LINE >> 20} MB without a line's end after line {line}; "
            "is it a text file of the named format?"
        )
