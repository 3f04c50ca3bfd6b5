"""The child process that trains: `python -m models.training.child JOB.json`.

It ends with code 0 and `training.json`, or with another code and `error.json`. It dies with its parent.
Who starts it, watches it and ends it is `tasks/io/child.py`.
"""

import contextlib
import ctypes
import json
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path

from models.errors import TrainingMemoryError
from models.interpreter import end_with, uncollected
from models.training.files import write_whole
from models.training.job import ERROR, TrainJob

PARENT = "QUICKSTUDY_PARENT_PID"
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_logger = logging.getLogger(__name__)


def main() -> int:
    """Train the job named on the command line; return the process's exit code."""

    def run(request: bytes) -> None:
        job = TrainJob.model_validate_json(request)
        # Imported here, so that a parent that dies during the slow import takes this process along.
        with uncollected():
            from models.training.loop import fine_tune

        fine_tune(job)

    return serve(run)


def serve(run: Callable[[bytes], None]) -> int:
    """Run the job that the command line names; return the process's exit code.

    Args:
        run: Told the job's JSON, whose file lies in the job's folder.
    """
    end_with(int(os.environ.get(PARENT, os.getppid())))
    keep_freed_memory()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    request = Path(sys.argv[1])
    error_file = request.with_name(ERROR)
    # Several processes may share the folder; who started this one has removed what was left there.
    try:
        run(request.read_bytes())
    except Exception as error:
        # The parent raises it again, whatever it is: the log alone keeps the traceback.
        _logger.exception("Training failed")
        kind = TrainingMemoryError if ran_out_of_memory(error) else type(error)
        failure = {"type": kind.__name__, "message": str(error) or type(error).__name__}
        _tell_once(error_file, json.dumps(failure))
        return 1
    return 0


def _tell_once(file: Path, text: str) -> None:
    """Write a file unless it is there: the first error is the reason of those that others have after it."""
    own = file.with_name(f".{file.name}.{os.getpid()}")
    write_whole(own, text)
    with contextlib.suppress(FileExistsError):
        os.link(own, file)
    own.unlink()


def ran_out_of_memory(error: BaseException) -> bool:
    """Tell whether an error is torch's, its CPU allocator's or Python's way to say that memory ran out."""
    words = ("can't allocate memory", "bad_alloc", "out of memory")
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(word in str(error) for word in words)
    )


def keep_freed_memory() -> None:
    """Ask glibc to keep freed blocks: each step asks for the same large ones again.

    Otherwise they go back to the kernel, which hands them out again page by page, zeroed: several percent
    of a step on a CPU. Other C libraries are left as they are.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, 1 << 30)
        mallopt(_M_TRIM_THRESHOLD, (1 << 31) - 1)


if __name__ == "__main__":
    sys.exit(main())
