"""From a snapshot to what a training reads, with the further rows that an agent asks for."""

from models.schemas import AgentConfig, DatasetSnapshot, EncodedDataset
from tasks.augment import augment, rewriters_of
from tasks.preprocess import preprocess


def encode(config: AgentConfig, snapshot: DatasetSnapshot) -> EncodedDataset:
    """Make further training rows where they are asked for, and tokenize all.

    Args:
        config: The agent.
        snapshot: The rows.
    """
    augmented = augment(config, snapshot, rewriters_of(config)) if config.augment else None
    return preprocess(config, snapshot, augmented)
