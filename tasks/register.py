"""Step `register`: the training's run in MLflow, and its one version in the registry."""

from pathlib import Path

import pyarrow.parquet as pq

from models.adapters import get_adapter
from models.schemas import AgentConfig, DatasetSnapshot, EvaluationReport, TrainingReport
from tasks.caching import effect_step
from tasks.io import tracking
from tasks.io.books import Books
from tasks.io.code_digest import code_digest
from tasks.io.dependencies import lock_digest
from tasks.io.digests import digest_of
from tasks.io.home import current_home
from tasks.io.registry import Registration, find_version
from tasks.io.registry import register as make_version

_EXAMPLES = 3
_TRAINING = "tasks.fine_tune"


@effect_step(__name__)
def register(
    config: AgentConfig, snapshot: DatasetSnapshot, training: TrainingReport, evaluation: EvaluationReport
) -> int:
    """Record a training in MLflow and make its version, or find the one that is there.

    Args:
        config: The agent.
        snapshot: The rows.
        training: What fine-tuning made.
        evaluation: How good it is.
    """
    books = current_home().books()
    identity = digest_of([training.model.digest, snapshot.artifact.digest])
    found = find_version(books, config.name, identity)
    if found is not None:
        return found.version
    run = tracking.open_run(books, config.name, identity, {})
    _record(books, run.run_id, (config, snapshot, training, evaluation))
    version = make_version(
        books,
        Registration(
            agent=config.name,
            model=training.model,
            training=identity,
            run_id=run.run_id,
            digests=_digests(config, snapshot),
            example=_examples(config, snapshot),
        ),
    )
    tracking.finish_run(books, run.run_id)
    return version


def _digests(config: AgentConfig, snapshot: DatasetSnapshot) -> dict[str, str]:
    """Digest what a training stands on; "lock" is the lock file's own sha256 where there is a checkout."""
    code = code_digest(_TRAINING)
    return {
        "data": snapshot.artifact.digest,
        "config": digest_of(config),
        "code": digest_of(code.modules),
        "lock": lock_digest(list(code.libraries)),
    }


def _record(
    books: Books,
    run_id: str,
    records: tuple[AgentConfig, DatasetSnapshot, TrainingReport, EvaluationReport],
) -> None:
    config, snapshot, training, evaluation = records
    tracking.log_config(books, run_id, config)
    tracking.log_curve(books, run_id, training.curve)
    figures = {name: metric.value for name, metric in evaluation.metrics.items()}
    figures |= {"calibration_error": evaluation.calibration_error, "size_mb": evaluation.size_mb}
    figures |= {"seconds_total": training.seconds, "tokens_per_second": training.tokens_per_second}
    tracking.log_metrics(books, run_id, figures)
    for name, item in (("snapshot", snapshot), ("training", training), ("evaluation", evaluation)):
        tracking.log_record(books, run_id, f"{name}.json", item)


def _examples(config: AgentConfig, snapshot: DatasetSnapshot) -> tuple[str, ...]:
    """Take the first texts of a snapshot as the input example."""
    column = get_adapter(config).columns().names[0]
    file = pq.ParquetFile(Path(snapshot.artifact.address) / "rows.parquet")
    first = next(file.iter_batches(_EXAMPLES, columns=[column])).column(0).to_pylist()
    return tuple(item if isinstance(item, str) else " ".join(item) for item in first)
