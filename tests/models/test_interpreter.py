"""Imports without garbage collection, and processes that end with their parent."""

import gc
import os
import subprocess
import sys
import time

import psutil
import pytest

from models.interpreter import uncollected

CHILD = """
import subprocess, sys
from models import interpreter
getattr(interpreter, sys.argv[1])(int(sys.argv[2]))
own = subprocess.Popen(["sleep", "60"])
print(own.pid, flush=True)
own.wait()
"""
PARENT = """
import os, subprocess, sys
child = subprocess.Popen([*sys.argv[1:], str(os.getpid())], start_new_session=True)
print(child.pid, flush=True)
child.wait()
"""


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


@pytest.mark.system
@pytest.mark.parametrize(("how", "left"), [("end_with", [False, True]), ("end_group_with", [False, False])])
def test_a_process_ends_with_its_parent(how: str, left: list[bool]) -> None:
    """A killed parent takes its child along, or all of its child's group."""
    command = [sys.executable, "-c", PARENT, sys.executable, "-c", CHILD, how]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pids = [int(parent.stdout.readline()) for _ in range(2)]
        parent.kill()
        try:
            deadline = time.monotonic() + 10
            while [_runs(pid) for pid in pids] != left and time.monotonic() < deadline:
                time.sleep(0.05)
            assert [_runs(pid) for pid in pids] == left
        finally:
            if _runs(pids[1]):
                os.kill(pids[1], 9)


def _runs(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
