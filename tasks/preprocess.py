"""Step `preprocess`: rows become memory-mapped windows of sub-words."""

from pathlib import Path

from models.preprocess import encode_snapshot
from models.schemas import AgentConfig, ArtifactRef, DatasetSnapshot, EncodedDataset
from models.schemas.made_rows import Augmented
from models.schemas.training_fields import TrainingFields
from tasks.caching import cached_step
from tasks.io.augmenting import ROWS
from tasks.io.digests import checked, folder_digest
from tasks.io.folders import new_folder
from tasks.io.home import current_home
from tasks.io.snapshot_store import verify
from tasks.io.step_keys import step_key

_UNREAD = frozenset(TrainingFields.model_fields)
"""What only training reads: another rate does not tokenize the same rows again."""


@cached_step(__name__, aside=_UNREAD)
def preprocess(
    config: AgentConfig, snapshot: DatasetSnapshot, augmented: Augmented | None = None
) -> EncodedDataset:
    """Tokenize a snapshot for an agent's encoder.

    Args:
        config: The agent.
        snapshot: The rows.
        augmented: Further training rows.

    Raises:
        ArtifactError: The rows are not what the snapshot's digest says.
    """
    verify(snapshot)
    inputs = {"config": config, "snapshot": snapshot, "augmented": augmented}
    key = step_key(__name__, inputs, aside=_UNREAD)
    more = checked(augmented.artifact) / ROWS if augmented else None
    final = current_home().encoded / key.digest.removeprefix("preprocess-")
    with new_folder(final) as folder:
        counts = encode_snapshot(config, Path(snapshot.artifact.address) / ROWS, folder, more)
    return EncodedDataset(
        artifact=ArtifactRef(address=str(final), digest=folder_digest(final)),
        snapshot=snapshot.artifact,
        windows=dict(counts.windows),
        tokens=dict(counts.tokens),
        unusable=dict(counts.unusable),
        augmented=augmented,
    )
