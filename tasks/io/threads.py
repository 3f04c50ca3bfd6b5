"""Run calls in a few threads and take their results in order; Arrow and numpy let threads run at once."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

WORKERS = 2
_AHEAD = 1


def in_order(work: Iterable[Callable[[], T]]) -> Iterator[T]:
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
