"""Which job a fine-tuning is: the same rows and settings train in the same folder, whoever asks for it."""

from pathlib import Path

from models.schemas import AgentConfig, DatasetSnapshot, EncodedDataset
from models.training.job import TrainJob
from tasks.io.home import current_home
from tasks.io.step_keys import step_key

_STEP = "tasks.fine_tune"


def training_job(config: AgentConfig, snapshot: DatasetSnapshot, encoded: EncodedDataset) -> TrainJob:
    """Describe a fine-tuning; one that was cut off, or that a search ended well, is found again."""
    key = step_key(_STEP, {"config": config, "snapshot": snapshot, "encoded": encoded})
    return TrainJob(
        config=config,
        encoded=encoded.artifact,
        rows=str(Path(snapshot.artifact.address) / "rows.parquet"),
        out=str(current_home().trainings / key.digest.removeprefix("fine_tune-")),
    )
