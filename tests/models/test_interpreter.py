"""Imports without garbage collection."""

import gc
import subprocess
import sys

import pytest

from models.interpreter import uncollected


def test_nothing_is_collected_inside() -> None:
    """The collector is off."""
    with uncollected():
        assert not gc.isenabled()


def test_collection_goes_on_afterwards() -> None:
    """It is on again."""
    with uncollected():
        pass
    assert gc.isenabled()


def test_collection_goes_on_after_an_error() -> None:
    """It is on again whatever happened."""
    with pytest.raises(ValueError, match="inside"), uncollected():
        raise ValueError("inside")
    assert gc.isenabled()


def test_collection_stays_off_where_it_was_off() -> None:
    """Nobody asked to turn it on."""
    gc.disable()
    try:
        with uncollected():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_the_interpreter_looks_through_nothing_at_its_end() -> None:
    """At exit no object is left to the collector."""
    program = (
        "import atexit, gc\n"
        "from models.interpreter import uncollected\n"
        "atexit.register(lambda: print(len(gc.get_objects())))\n"
        "with uncollected(): pass\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 100
