"""Step `champion`: who holds the alias now."""

from tasks.caching import effect_step
from tasks.io.champion import Champion
from tasks.io.home import current_home
from tasks.io.incumbent import required_champion, sound_version, usable_champion


@effect_step
def champion_of(agent: str) -> Champion | None:
    """Describe the present champion; None where there is none that a challenger can be compared with.

    Args:
        agent: The agent's name.
    """
    return usable_champion(current_home().books(), agent, sound_version)


@effect_step
def champion_to_renew(agent: str) -> Champion | None:
    """Describe the champion that a retraining goes on from; None where there is none.

    Args:
        agent: The agent's name.

    Raises:
        RegistryError: The champion is damaged, or not one of ours.
    """
    return required_champion(current_home().books(), agent)


@effect_step
def version_of(agent: str, version: int) -> Champion:
    """Describe one version.

    Args:
        agent: The agent's name.
        version: Its number in the registry.
    """
    return sound_version(current_home().books(), agent, version)
