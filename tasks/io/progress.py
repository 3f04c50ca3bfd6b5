"""Progress of long work on a terminal; silent where nobody watches."""

import contextlib
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

ShowProgress = Callable[[float, str], None]


@contextlib.contextmanager
def progress_bar(title: str) -> Iterator[ShowProgress]:
    """Give a function that shows a share (0-1) and a few words on the terminal's last line.

    Args:
        title: What the work is.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _share, _words: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[words]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        line = bar.add_task(title, total=1.0, words="")
        yield lambda share, words: bar.update(line, completed=share, words=words)
