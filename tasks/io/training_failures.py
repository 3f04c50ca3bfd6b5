"""What is said of a training that ended without a result: one paragraph, its log named, never a traceback."""

import json
import signal
import textwrap
from pathlib import Path

from models import errors
from models.errors import QuickstudyError, TrainingError, TrainingMemoryError, TrainingTimeoutError
from models.training.job import ERROR, LOG


def too_long(limit: float, out: Path) -> TrainingTimeoutError:
    """Say that the time limit (seconds) ran out."""
    return TrainingTimeoutError(
        f"Training ran longer than its limit of {limit:g} s and was ended. Raise time_limit_seconds and run "
        f"again: it goes on at its last checkpoint in {out}."
    )


def too_silent(limit: float, out: Path) -> TrainingTimeoutError:
    """Say that there was no heartbeat for that many seconds."""
    return TrainingTimeoutError(
        f"Nothing was heard of the training for {limit:g} s and it was ended. The reason may be in its log, "
        f"{out / LOG}. Run again: it goes on at its last checkpoint."
    )


def failure(out: Path, code: int, killed_for_memory: bool) -> QuickstudyError:
    """Turn the child's error file, or the lack of one, into the error to raise."""
    try:
        found = json.loads((out / ERROR).read_text("utf-8"))
    except FileNotFoundError:
        cause = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        if code == -signal.SIGKILL and killed_for_memory:
            return TrainingMemoryError("the kernel killed the training's process for want of memory")
        return TrainingError(
            f"The training's process ended by {cause} without a result; the last that it said was "
            f"{_last_words(out)!r}. All of it is in its log, {out / LOG}."
        )
    kind = getattr(errors, found["type"], None)
    if isinstance(kind, type) and issubclass(kind, QuickstudyError):
        return kind(found["message"])
    return TrainingError(
        f"Training ended by {found['type']}: {in_short(found['message'])}. Its log, {out / LOG}, says where. "
        "What was trained up to the last checkpoint is kept: run again once the cause is mended."
    )


def _last_words(out: Path) -> str:
    """Give the log's last line that is not indented, as a traceback's last line is not."""
    lines = (out / LOG).read_text("utf-8", errors="replace").splitlines() if (out / LOG).exists() else []
    said = [line for line in lines if line.strip() and not line[0].isspace()]
    return in_short(said[-1]) if said else ""


def in_short(text: str) -> str:
    """Put a text of any length on one line of a few hundred letters."""
    return textwrap.shorten(text, 400, placeholder=" ...").rstrip(".")
