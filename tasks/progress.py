"""Progress of a child process's work, on the terminal and as a Prefect progress artifact."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact

from models.training.job import TrainingProgress
from tasks.io.progress import progress_bar


@contextmanager
def shown(key: str, title: str) -> Iterator[Callable[[TrainingProgress], None]]:
    """Give what shows a training's heartbeats; a body that ends well has all of its work done.

    Args:
        key: The artifact's.
        title: What the work is.
    """
    artifact = create_progress_artifact(0.0, key=key, description=title)
    with progress_bar(title) as show:

        def on_progress(now: TrainingProgress) -> None:
            share = min(1.0, now.heartbeat.step / max(1, now.heartbeat.total_steps))
            if isinstance(artifact, UUID):
                update_progress_artifact(artifact, 100 * share)
            show(share, _words(now))

        yield on_progress
    if isinstance(artifact, UUID):
        update_progress_artifact(artifact, 100.0)


def _words(now: TrainingProgress) -> str:
    score = f", validation {now.curve[-1].validation_score:.3f}" if now.curve else ""
    loss = "" if now.heartbeat.loss is None else f", loss {now.heartbeat.loss:.3f}"
    return f"step {now.heartbeat.step} of {now.heartbeat.total_steps}{loss}{score}"
