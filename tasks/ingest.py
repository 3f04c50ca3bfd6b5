"""Step `ingest`: sources become a content-addressed snapshot."""

from models.schemas import AgentConfig, DatasetSnapshot, SourceConfig
from tasks.caching import cached_step
from tasks.io.fingerprint import sources_fingerprint
from tasks.io.home import current_home
from tasks.io.snapshots import ingest as take_in


def _content(config: AgentConfig, sources: tuple[SourceConfig, ...] = ()) -> list[str] | None:
    return sources_fingerprint(sources or config.sources)


@cached_step(__name__, content=_content)
def ingest(config: AgentConfig, sources: tuple[SourceConfig, ...] = ()) -> DatasetSnapshot:
    """Read, check, split and store rows.

    Args:
        config: The agent.
        sources: Where the rows come from; by default the agent's own sources.
    """
    return take_in(config, current_home().root, sources or config.sources)
