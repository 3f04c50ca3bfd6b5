"""Step `augment`: further training rows, made of those that there are."""

from models.schemas import AgentConfig, DatasetSnapshot
from models.schemas.made_rows import Augmented, Rewriters
from models.schemas.training_fields import TrainingFields
from tasks.caching import cached_step, effect_step
from tasks.io.augmenting import augment_rows, find_rewriters
from tasks.io.home import current_home
from tasks.io.step_keys import step_key


@effect_step
def rewriters_of(config: AgentConfig) -> Rewriters:
    """Find the champions that rewrite texts for an agent, as they are now.

    Args:
        config: The agent.

    Raises:
        RegistryError: One that it names has no champion.
        ArtifactError: Its files are gone or changed.
    """
    return find_rewriters(current_home().books(), config)


_UNREAD = frozenset(TrainingFields.model_fields)
"""What only training reads: another rate does not make the same rows again."""


@cached_step(__name__, aside=_UNREAD)
def augment(config: AgentConfig, snapshot: DatasetSnapshot, rewriters: Rewriters) -> Augmented:
    """Make further training rows in the ways that an agent lists.

    Args:
        config: The agent.
        snapshot: The rows; only training rows are rewritten.
        rewriters: The models that do it.

    Raises:
        ArtifactError: Rows or a model are not what their digest says.
        ConfigError: A model can not do what it is asked for.
    """
    inputs = {"config": config, "snapshot": snapshot, "rewriters": rewriters}
    key = step_key(__name__, inputs, aside=_UNREAD)
    out = current_home().encoded / key.digest
    return augment_rows(config, snapshot, rewriters, out)
