"""Step `fine_tune`: train in a child process, with progress where people look."""

from pathlib import Path

from prefect.logging import get_run_logger

from models.schemas import AgentConfig, DatasetSnapshot, EncodedDataset, TrainingReport
from models.training.job import TrainJob
from tasks.caching import cached_step
from tasks.io.child import FINE_TUNE, train_within_memory
from tasks.io.digests import checked
from tasks.io.home import current_home
from tasks.io.snapshot_store import verify
from tasks.io.step_keys import step_key
from tasks.progress import shown


@cached_step(__name__)
def fine_tune(config: AgentConfig, snapshot: DatasetSnapshot, encoded: EncodedDataset) -> TrainingReport:
    """Fine-tune an agent; a training that was cut off goes on where its last checkpoint was.

    Args:
        config: The agent.
        snapshot: The rows, for validation.
        encoded: The tokenized rows.

    Raises:
        ArtifactError: The rows, plain or tokenized, are not what their digests say.
    """
    verify(snapshot)
    checked(encoded.artifact)
    key = step_key(__name__, {"config": config, "snapshot": snapshot, "encoded": encoded})
    job = TrainJob(
        config=config,
        encoded=encoded.artifact,
        rows=str(Path(snapshot.artifact.address) / "rows.parquet"),
        out=str(current_home().trainings / key.digest.removeprefix("fine_tune-")),
    )
    with shown(f"fine-tune-{config.name}", f"fine-tuning {config.name}") as on_progress:
        report = train_within_memory(job, on_progress, config.time_limit_seconds, FINE_TUNE)
    get_run_logger().info(
        "%s: %d steps in %.0f s, best validation score %.3f at step %d",
        config.name, report.steps, report.seconds, report.best_score, report.best_step,
    )  # fmt: skip
    return report
