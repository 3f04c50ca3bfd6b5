"""How our processes start and end.

Modules are no garbage, yet every import makes the collector look through all of them again, and at its end
the interpreter looks once more through everything that is about to go anyway (two seconds with torch): a
quarter of our imports and all of an exit.
"""

import atexit
import ctypes
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_PR_SET_PDEATHSIG = 1
_SECONDS_BETWEEN_LOOKS = 1.0


@contextmanager
def uncollected() -> Iterator[None]:
    """Import heavy modules inside; they are never looked through for garbage, nor is anything at exit."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()
        atexit.unregister(gc.freeze)
        atexit.register(gc.freeze)


def end_with(parent: int) -> None:
    """Have this process killed when its parent ends, however that happens.

    The kernel does it on Linux, a thread that looks once a second elsewhere.

    Args:
        parent: Id of the process that started this one; it may be gone already.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    _watch(parent, os.kill)


def end_group_with(parent: int) -> None:
    """Have this process's whole group killed when its parent ends: it and every process that it starts.

    Args:
        parent: Id of the process that started this one at the head of a group of its own.
    """
    # Not by the kernel as well: it would take this process alone, and with it the thread that watches.
    _watch(parent, os.killpg)


def _watch(parent: int, kill: Callable[[int, int], None]) -> None:
    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True, name="parent-watch").start()
