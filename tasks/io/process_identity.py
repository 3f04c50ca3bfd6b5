"""Tell one process from every other, and whether it still lives where that can be seen."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path

import psutil

_SAME_START_SECONDS = 1.0


@dataclass(frozen=True)
class ProcessId:
    """A process: pids are reused, so its start counts too.

    Args:
        machine: Host, boot and process namespace (a container has its own).
        pid: Its number there.
        started: When it began, in seconds since 1970.
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
            reused = abs(process.create_time() - self.started) > _SAME_START_SECONDS
            return reused or process.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True


def this_process() -> ProcessId:
    """Name the running process."""
    return ProcessId(this_machine(), os.getpid(), psutil.Process().create_time())


def this_machine() -> str:
    """Name this host, its boot and the process namespace, so that a pid means one process only."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    namespace = Path("/proc/self/ns/pid")
    parts = [socket.gethostname()]
    parts += [boot.read_text().strip()] if boot.exists() else []
    parts += [os.readlink(namespace)] if namespace.is_symlink() else []
    return "/".join(parts)
