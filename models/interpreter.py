"""How our processes start and end: the garbage collector takes a quarter of our imports and all of an exit.

Modules are no garbage, yet every import makes the collector look through all of them again, and at its end
the interpreter looks once more through everything that is about to go anyway (two seconds with torch).
"""

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager


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
