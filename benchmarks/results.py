"""Keep benchmarks/RESULTS.md: one section a benchmark, each with the command that made it.

What a benchmark measures and how it prints does not belong here.
"""

import fcntl
import os
import platform
import re
import shlex
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

RESULTS = Path(__file__).parent / "RESULTS.md"
_TITLE = "# Results\n\nEach section is replaced by its command.\n"


def record(section: str, command: str, markdown: str, path: Path = RESULTS) -> None:
    """Replace or append one section of the results file, leaving the others as they are.

    Args:
        section: The section's title; a second call with the same title replaces the first.
        command: The command line that made these figures.
        markdown: The figures.
        path: The results file; made if absent.
    """
    body = f"## {section}\n\n{_made_by(command)}\n\n{markdown.strip()}\n"
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        text = path.read_text("utf-8") if path.exists() else _TITLE
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        temporary.write_text(_with_section(text, section, body), "utf-8")
        temporary.replace(path)
    finally:
        os.close(folder)


def this_command() -> str:
    """Give the command line that this process was started with, as it can be typed again."""
    name = f"benchmarks.{Path(sys.argv[0]).stem}"
    return shlex.join(["python", "-m", name, *sys.argv[1:]])


def _with_section(text: str, section: str, body: str) -> str:
    """Put `body` where the section of that title stands, or at the end."""
    title, *sections = re.split(r"(?m)^(?=## )", text)
    heading = f"## {section}\n"
    kept = [part.rstrip() + "\n" for part in sections]
    found = [i for i, part in enumerate(kept) if part.startswith(heading)]
    if found:
        kept[found[0]] = body
    else:
        kept.append(body)
    return "\n".join([title.rstrip() + "\n", *kept])


def _made_by(command: str) -> str:
    """Name the command, the day, the machine's size and the library that did the work."""
    day = datetime.now(UTC).date().isoformat()
    machine = f"{platform.machine()}, {os.cpu_count()} cores"
    software = f"Python {platform.python_version()}, torch {version('torch')}"
    return f"`{command}`\n\n{day}, {machine}, {software}"
