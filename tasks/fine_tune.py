"""Step `fine_tune`: train in a child process, with progress where people look."""

from prefect.logging import get_run_logger

from models.schemas import AgentConfig, DatasetSnapshot, EncodedDataset, TrainingReport
from tasks.caching import cached_step
from tasks.io.child import FINE_TUNE, train_within_memory
from tasks.io.digests import checked
from tasks.io.snapshot_store import verify
from tasks.io.training_job import training_job
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
    job = training_job(config, snapshot, encoded)
    with shown(f"fine-tune-{config.name}", f"fine-tuning {config.name}") as on_progress:
        report = train_within_memory(job, on_progress, config.time_limit_seconds, FINE_TUNE)
    get_run_logger().info(
        "%s: %d steps in %.0f s, best validation score %.3f at step %d",
        config.name, report.steps, report.seconds, report.best_score, report.best_step,
    )  # fmt: skip
    return report
