"""What goes wrong while reading from elsewhere: the network's faults may pass by themselves, others don't."""

import sys
from collections.abc import Iterator

from models.errors import DataError, QuickstudyError, TransientError
from tasks.io.sources.address import Filled

_OFFLINE = "OfflineModeIsEnabled"
_TOO_MANY_REQUESTS, _SERVER_ERRORS = 429, 500


def read_errors() -> tuple[type[Exception], ...]:
    """List what reading a file may raise: some of the HTTP client's errors are no OSError."""
    client = sys.modules.get("aiohttp")
    return (OSError, client.ClientError) if client else (OSError,)


def reading_error(where: str, address: Filled, error: Exception) -> QuickstudyError:
    """Turn an error into words and a type that says whether another try may help.

    Args:
        where: What could not be read.
        address: The address that it stands at.
        error: What was raised.
    """
    kind = TransientError if can_pass(error) else DataError
    return kind(f"{where} can't be read: {address.hide(str(error) or type(error).__name__)}.")


def can_pass(error: BaseException) -> bool:
    """Say whether the network is behind an error, or a server that is busy."""
    chain = list(_chain(error))
    # Working offline was asked for, so no later try will find more.
    offline = any(_OFFLINE in f"{type(cause).__name__} {cause}" for cause in chain)
    return not offline and any(map(_is_network, chain))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error:
        yield error
        error = error.__cause__ or error.__context__


def _is_network(error: BaseException) -> bool:
    if isinstance(error, ConnectionError | TimeoutError):
        return True
    if not type(error).__module__.startswith("aiohttp") or isinstance(error, ValueError):
        return False
    status = getattr(error, "status", None)
    return status is None or status == _TOO_MANY_REQUESTS or status >= _SERVER_ERRORS
