"""Run a training in a child process group: watch it, bring back its outcome, leave nothing running.

The child itself is `models/training/child.py`. It goes on at the checkpoints that it finds in the job's
folder, so running the same job again after any kind of death is right.
"""

import contextlib
import fcntl
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, Self, TypeVar

from pydantic import ValidationError

from models.errors import TrainingError, TrainingMemoryError
from models.schemas import TrainingReport
from models.training.child import PARENT
from models.training.files import write_whole
from models.training.job import ERROR, LOCK, LOG, Job, TrainingProgress, TrainJob, read_progress
from models.training.result import finished_report, read_report
from tasks.io.training_failures import failure, in_short, too_long, too_silent

HEARTBEAT_LIMIT = 300.0
_REQUEST = "request.json"
_POLL_SECONDS = 0.2
_START_SECONDS = 300.0
_GRACE_SECONDS = 3.0
_MOST_PARTS = 64
_ROOT = Path(__file__).resolve().parents[2]
logger = logging.getLogger(__name__)

J = TypeVar("J", bound=Job)
R = TypeVar("R")


@dataclass(frozen=True)
class Program(Generic[J, R]):
    """What a child runs.

    Args:
        module: Run by `python -m` with the job's file.
        finished: Gives the report of a job that already ended, None if it did not.
        report: Reads the report that a child left in a folder.
        environment: What the child's environment has beside this process's.
    """

    module: str
    finished: Callable[[J], R | None]
    report: Callable[[Path], R]
    environment: Mapping[str, str] = field(default_factory=dict)


FINE_TUNE: Program[TrainJob, TrainingReport] = Program("models.training.child", finished_report, read_report)
_Show = Callable[[TrainingProgress], None]


@dataclass(frozen=True)
class _Limits:
    """How long a training may take.

    Args:
        seconds: What all attempts together may take.
        deadline: When that is over, on the monotonic clock.
        heartbeat: Seconds without a sign of life.
    """

    seconds: float
    deadline: float
    heartbeat: float

    @classmethod
    def from_now(cls, seconds: float, heartbeat: float = HEARTBEAT_LIMIT) -> Self:
        """Begin to count."""
        return cls(seconds, time.monotonic() + seconds, heartbeat)


def train_within_memory(job: J, on_progress: _Show, time_limit: float, program: Program[J, R]) -> R:
    """Train a job; where memory runs out, go on with each batch in four times as many parts.

    The parts' gradients add up, so an optimizer step stays what it was, but for rounding and dropout. A job
    that was cut off begins with the parts that it had come to.

    Args:
        job: See `run_child`.
        on_progress: See `run_child`.
        time_limit: For all attempts together (seconds).
        program: What the child runs.

    Raises:
        TrainingMemoryError: Sixty-four parts were not enough either.
    """
    limits = _Limits.from_now(time_limit)
    job = job.model_copy(update={"parts": max(job.parts, _earlier_parts(job))})
    while True:
        try:
            return _attempt(job, on_progress, limits, program)
        except TrainingMemoryError as error:
            if job.parts >= _MOST_PARTS:
                raise TrainingMemoryError(
                    f"Memory ran out although each batch went through the model in {job.parts} parts "
                    f"({in_short(str(error))}). Lower tokens_per_batch (or meta_batch_size) or "
                    "max_length, or name a smaller encoder."
                ) from error
            job = job.model_copy(update={"parts": 4 * job.parts})
            why = in_short(str(error))
            logger.warning("Memory ran out (%s). Going on with each batch in %d parts.", why, job.parts)


def _earlier_parts(job: Job) -> int:
    """Give the parts that the last attempt at this very job was told; 1 if there was none."""
    try:
        earlier = type(job).model_validate_json((job.folder / _REQUEST).read_bytes())
    except (FileNotFoundError, ValidationError):
        return 1
    return earlier.parts if earlier.digest == job.digest else 1


def run_child(
    job: TrainJob,
    on_progress: _Show,
    time_limit: float,
    heartbeat_limit: float = HEARTBEAT_LIMIT,
) -> TrainingReport:
    """Train a job in a child process group of its own and wait for it.

    Whatever ends this call, the whole group is gone when it returns or raises; if this process is killed,
    the kernel kills the child.

    Args:
        job: What to train; `job.out` keeps log, heartbeats, checkpoints and result.
        on_progress: Called with each new heartbeat.
        time_limit: The child is ended after this time (seconds).
        heartbeat_limit: It is ended when nothing was heard of it for this time (seconds).

    Raises:
        TrainingTimeoutError: The time limit ran out, or the heartbeats stopped.
        TrainingMemoryError: Memory ran out, or the kernel ended the child for want of it.
        TrainingError: The child ended without a result, or another process trains in `job.out`.
        QuickstudyError: What the child itself raised, by its own type.
    """
    return _attempt(job, on_progress, _Limits.from_now(time_limit, heartbeat_limit), FINE_TUNE)


def _attempt(job: J, on_progress: _Show, limits: _Limits, program: Program[J, R]) -> R:
    """Run a child until it ends or a limit is passed; see `run_child`."""
    job.folder.mkdir(parents=True, exist_ok=True)
    with _locked(job.folder) as lock:
        done = program.finished(job)
        if done is not None:
            return done
        request = job.folder / _REQUEST
        write_whole(request, job.model_dump_json(indent=2))
        (job.folder / ERROR).unlink(missing_ok=True)
        killed_for_memory = _killed_for_memory()
        with (job.folder / LOG).open("ab") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", program.module, str(request)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                # The child shares the lock: while it lives, no other training may begin here.
                pass_fds=[lock],
                env={**_environment(), **program.environment},
            )
        try:
            _watch(child, job.folder, on_progress, limits)
        finally:
            _end_group(child)
    if child.returncode != 0:
        raise failure(job.folder, child.returncode, _killed_for_memory() > killed_for_memory)
    return program.report(job.folder)


def _watch(
    child: subprocess.Popen[bytes],
    out: Path,
    on_progress: _Show,
    limits: _Limits,
) -> None:
    """Pass progress on until the child ends or a limit (time, heartbeat) is passed."""
    heard = time.monotonic()
    # Until the first heartbeat libraries are imported and weights read or fetched.
    silence = max(limits.heartbeat, _START_SECONDS)
    seen = read_progress(out)
    while child.poll() is None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_POLL_SECONDS)
        progress = read_progress(out)
        if progress is not None and progress != seen:
            seen, heard, silence = progress, time.monotonic(), limits.heartbeat
            on_progress(progress)
        now = time.monotonic()
        if child.poll() is None and now > limits.deadline:
            raise too_long(limits.seconds, out)
        if child.poll() is None and now - heard > silence:
            raise too_silent(silence, out)


def _end_group(child: subprocess.Popen[bytes]) -> None:
    """End the child and all that it started: politely, then by force."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_GRACE_SECONDS)
    child.wait()


def _killed_for_memory() -> int:
    """Count the processes that the kernel has ever killed for want of memory; 0 where it does not say."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/vmstat").read_text("ascii").splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    return 0


@contextlib.contextmanager
def _locked(out: Path) -> Iterator[int]:
    """Hold the folder's lock, which the operating system lets go when its last holder dies.

    Raises:
        TrainingError: Another process trains in this folder.
    """
    with (out / LOCK).open("w") as file:
        deadline = time.monotonic() + _GRACE_SECONDS
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                # The child of a parent that was just killed needs a moment to go.
                if time.monotonic() > deadline:
                    raise TrainingError(
                        f"Another process trains in {out}. Wait for it, or end it, and run again."
                    ) from error
                time.sleep(_POLL_SECONDS)
        yield file.fileno()


def _environment() -> dict[str, str]:
    """Give the child this process's environment, its id, and the place of our modules."""
    path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
    return {**os.environ, PARENT: str(os.getpid()), "PYTHONPATH": path, "TOKENIZERS_PARALLELISM": "false"}
