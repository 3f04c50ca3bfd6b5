"""Step `stand_on_start`: the start that an agent begins from, as the encoder of its training."""

from pathlib import Path

from models.errors import ConfigError
from models.schemas import AgentConfig
from models.schemas.start import StartConfig
from models.start_frames import ENCODER
from tasks.caching import effect_step
from tasks.io.home import current_home
from tasks.io.start_version import LearnerVersion, read_start, start_to_use


@effect_step
def stand_on_start(config: AgentConfig) -> AgentConfig:
    """Fill in the version and the encoder of the start that a description names; others stay as they are.

    Args:
        config: The agent.

    Raises:
        RegistryError: There is no such start, or no such version of it, or it has no champion.
        ArtifactError: Its files are gone or changed.
    """
    if config.start is None:
        return config
    books = current_home().books()
    version = config.start_version or start_to_use(books, config.start)
    found = read_start(books, f"start-{config.start}", version)
    return config.model_copy(
        update={"start_version": version, "encoder": str(Path(found.start.address) / ENCODER)}
    )


@effect_step
def start_of(config: AgentConfig) -> LearnerVersion:
    """Describe the meta-learned start that an agent stands on.

    Args:
        config: The agent, with `start` and `start_version` filled in.

    Raises:
        ConfigError: They are not, or the start has no learner.
    """
    if config.start_version is None:
        raise ConfigError(
            f"Agent {config.name!r} stands on no version of a start; `stand_on_start` finds one."
        )
    found = read_start(current_home().books(), f"start-{config.start}", config.start_version)
    if not isinstance(found.config, StartConfig):
        raise ConfigError(
            f"Start {config.start!r} was pretrained on plain texts, not meta-learned: nothing in it learns "
            f"from a handful of examples. Train on it (`quickstudy train {config.name}`), or name another "
            "start."
        )
    return LearnerVersion(**dict(found))
