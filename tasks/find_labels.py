"""Step `find_labels`: what a source of episodes calls its classes."""

from models.schemas import SourceConfig
from models.schemas.agent import AdapterName
from models.schemas.base import Record
from tasks.caching import cached_step
from tasks.io.fingerprint import sources_fingerprint
from tasks.io.labels import count_labels


class Labels(Record):
    """The labels of a source, sorted."""

    names: tuple[str, ...]


def _content(agent: str, source: SourceConfig, adapter: AdapterName) -> list[str] | None:  # noqa: ARG001 - the step's arguments
    return sources_fingerprint((source,))


@cached_step(__name__, content=_content)
def find_labels(agent: str, source: SourceConfig, adapter: AdapterName) -> Labels:  # noqa: ARG001 - the step's log names it
    """Read a source once and list its labels.

    Args:
        agent: Whom it is for.
        source: Where the rows are.
        adapter: The NLP task type.
    """
    return Labels(names=tuple(sorted(count_labels(source, adapter))))
