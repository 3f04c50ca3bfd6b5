"""Step `fine_tune`: train in a child process, with progress where people look."""

from pathlib import Path
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.logging import get_run_logger

from models.schemas import AgentConfig, DatasetSnapshot, EncodedDataset, TrainingReport
from models.training.job import TrainingProgress, TrainJob
from tasks.caching import cached_step
from tasks.io.child import FINE_TUNE, train_within_memory
from tasks.io.digests import checked
from tasks.io.home import current_home
from tasks.io.progress import progress_bar
from tasks.io.snapshot_store import verify
from tasks.io.step_keys import step_key


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
    artifact = create_progress_artifact(
        0.0, key=f"fine-tune-{config.name}", description=f"Fine-tuning {config.name}"
    )
    with progress_bar(f"fine-tuning {config.name}") as show:

        def on_progress(now: TrainingProgress) -> None:
            share = min(1.0, now.heartbeat.step / max(1, now.heartbeat.total_steps))
            if isinstance(artifact, UUID):
                update_progress_artifact(artifact, 100 * share)
            show(share, _words(now))

        report = train_within_memory(job, on_progress, config.time_limit_seconds, FINE_TUNE)
    if isinstance(artifact, UUID):
        update_progress_artifact(artifact, 100.0)
    get_run_logger().info(
        "%s: %d steps in %.0f s, best validation score %.3f at step %d",
        config.name, report.steps, report.seconds, report.best_score, report.best_step,
    )  # fmt: skip
    return report


def _words(now: TrainingProgress) -> str:
    score = f", validation {now.curve[-1].validation_score:.3f}" if now.curve else ""
    loss = "" if now.heartbeat.loss is None else f", loss {now.heartbeat.loss:.3f}"
    return f"step {now.heartbeat.step} of {now.heartbeat.total_steps}{loss}{score}"
