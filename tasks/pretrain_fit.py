"""Step `pretrain_fit`: pretrain in a child process, with progress where people look."""

from math import exp, log

from prefect.logging import get_run_logger

from models.pretrain.job import PretrainJob
from models.pretrain.result import finished_pretraining, read_pretrain_report
from models.schemas.pretrain import PackedCorpus, PretrainConfig, PretrainReport
from tasks.caching import cached_step
from tasks.io.child import Program, train_within_memory
from tasks.io.digests import checked
from tasks.io.home import current_home
from tasks.io.step_keys import step_key
from tasks.progress import shown

PRETRAIN: Program[PretrainJob, PretrainReport] = Program(
    "models.pretrain.child", finished_pretraining, read_pretrain_report
)


@cached_step(__name__)
def pretrain_fit(config: PretrainConfig, packed: PackedCorpus) -> PretrainReport:
    """Pretrain a start; one that was cut off goes on where its last checkpoint was.

    Args:
        config: The start.
        packed: Its corpus in sub-words.

    Raises:
        ArtifactError: The corpus is not what its digest says.
    """
    checked(packed.artifact)
    key = step_key(__name__, {"config": config, "packed": packed})
    out = current_home().trainings / key.digest.removeprefix("pretrain_fit-")
    job = PretrainJob(config=config, packed=packed.artifact, out=str(out))
    with shown(f"pretrain-{config.name}", f"pretraining {config.agent}") as on_progress:
        report = train_within_memory(job, on_progress, config.time_limit_seconds, PRETRAIN)
    get_run_logger().info(
        "%s: %d steps in %.0f s, %.0f sub-words a second, best validation perplexity %.2f at step %d",
        config.agent, report.steps, report.seconds, report.tokens_per_second,
        exp((1 - report.best_score) * log(report.vocabulary)), report.best_step,
    )  # fmt: skip
    return report
