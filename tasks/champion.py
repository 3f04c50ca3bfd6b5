"""Step `champion`: who holds the alias now."""

from tasks.caching import effect_step
from tasks.io.champion import Champion, read_champion, read_version
from tasks.io.home import current_home


@effect_step(__name__)
def champion_of(agent: str) -> Champion | None:
    """Describe the present champion; None where there is none.

    Args:
        agent: The agent's name.
    """
    return read_champion(current_home().books(), agent)


@effect_step(__name__)
def version_of(agent: str, version: int) -> Champion:
    """Describe one version.

    Args:
        agent: The agent's name.
        version: Its number in the registry.
    """
    return read_version(current_home().books(), agent, version)
