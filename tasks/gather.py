"""Step `gather`: sources of texts become a content-addressed corpus without duplicates."""

from models.schemas import SourceConfig
from models.schemas.pretrain import Corpus
from tasks.caching import cached_step
from tasks.io.corpus import Shares, gather_texts
from tasks.io.fingerprint import sources_fingerprint
from tasks.io.home import current_home


def _content(agent: str, sources: tuple[SourceConfig, ...], shares: Shares) -> list[str] | None:
    del agent, shares
    return sources_fingerprint(sources)


@cached_step(__name__, content=_content)
def gather(agent: str, sources: tuple[SourceConfig, ...], shares: Shares) -> Corpus:
    """Read, check, split and store texts.

    Args:
        agent: The start as the registry knows it.
        sources: Where texts come from.
        shares: How they are split, and how many may be bad.
    """
    return gather_texts(agent, sources, shares, current_home().root)
