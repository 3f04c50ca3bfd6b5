"""Step `meta_fit`: meta-train in a child process, with progress where people look."""

from prefect.logging import get_run_logger

from models.meta.fit import finished_start, read_start_report
from models.meta.job import MetaJob
from models.schemas.start import EpisodeRows, StartConfig, StartReport
from tasks.caching import cached_step
from tasks.io.child import Program, train_within_memory
from tasks.io.digests import checked
from tasks.io.home import current_home
from tasks.io.step_keys import step_key
from tasks.progress import shown

META_FIT: Program[MetaJob, StartReport] = Program("models.meta.child", finished_start, read_start_report)


@cached_step(__name__)
def meta_fit(config: StartConfig, rows: EpisodeRows) -> StartReport:
    """Meta-train a start; one that was cut off goes on where its last checkpoint was.

    Args:
        config: The start.
        rows: The tokenized rows of its sources.

    Raises:
        ArtifactError: The rows are not what their digests say.
    """
    for source in rows.sources:
        checked(source.encoded)
    key = step_key(__name__, {"config": config, "rows": rows})
    job = MetaJob(
        config=config, rows=rows, out=str(current_home().trainings / key.digest.removeprefix("meta_fit-"))
    )
    with shown(f"meta-fit-{config.name}", f"meta-training {config.agent}") as on_progress:
        report = train_within_memory(job, on_progress, config.time_limit_seconds, META_FIT)
    get_run_logger().info(
        "%s: %d outer steps in %.0f s, best meta-validation score %.3f at step %d",
        config.agent, report.steps, report.seconds, report.best_score, report.best_step,
    )  # fmt: skip
    return report
