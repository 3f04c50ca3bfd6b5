"""Tell one process from every other, and whether it still lives where that can be seen."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path

import psutil

_SAME_START = 1.0
_PROC = Path("/proc")


@dataclass(frozen=True)
class ProcessId:
    """A process: pids are reused, so its start counts too.

    Args:
        machine: Host, boot and process namespace (a container has its own).
        pid: Its number there.
        started: When it began: the kernel's clock ticks since the machine's start, which no setting of the
            clock moves; where there is no /proc, seconds since 1970.
    """

    machine: str
    pid: int
    started: float

    def is_dead(self) -> bool:
        """Say whether the process is known to be gone; one on another machine never is."""
        if self.machine != this_machine():
            return False
        try:
            process = psutil.Process(self.pid)
            reused = abs(_started(self.pid) - self.started) > _SAME_START
            return reused or process.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True


def this_process() -> ProcessId:
    """Name the running process."""
    return ProcessId(this_machine(), os.getpid(), _started(os.getpid()))


def _started(pid: int) -> float:
    """Give when a process began.

    Raises:
        psutil.NoSuchProcess: It is gone.
    """
    if not _PROC.exists():
        return float(psutil.Process(pid).create_time())
    try:
        # Field 22; the name before it is in brackets and may hold anything.
        return float((_PROC / str(pid) / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()[19])
    except (FileNotFoundError, ProcessLookupError) as error:
        raise psutil.NoSuchProcess(pid) from error


def this_machine() -> str:
    """Name this host, its boot and the process namespace, so that a pid means one process only."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    namespace = Path("/proc/self/ns/pid")
    parts = [socket.gethostname()]
    parts += [boot.read_text().strip()] if boot.exists() else []
    parts += [os.readlink(namespace)] if namespace.is_symlink() else []
    return "/".join(parts)
