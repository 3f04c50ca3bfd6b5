"""From a training to its one version: found, or recorded in an MLflow run of its own and registered."""

from collections.abc import Callable

from tasks.io import tracking
from tasks.io.books import Books
from tasks.io.registry import Registration, find_version, register


def registered(books: Books, agent: str, training: str, record: Callable[[str], Registration]) -> int:
    """Give the version of a training; where there is none, record the training and make it.

    Args:
        books: The record.
        agent: The agent, or the start as the registry knows it.
        training: Digest of the training.
        record: Told the run, writes down there what is known of the training, and says what to register.

    Raises:
        ArtifactError: If the model's folder is not what its digest says.
        RegistryError: If the stored model does not load elsewhere or answers otherwise there.
    """
    found = find_version(books, agent, training)
    if found is not None:
        tracking.finish_run(books, found.run_id or "")  # a kill right after registering leaves it open
        return found.version
    run = tracking.open_run(books, agent, training, {})
    version = register(books, record(run.run_id))
    tracking.finish_run(books, run.run_id)
    return version
