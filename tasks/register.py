"""Step `register`: the training's run in MLflow, and its one version in the registry."""

from pathlib import Path

import pyarrow.parquet as pq

from models.adapters import get_adapter
from models.schemas import AgentConfig, DatasetSnapshot, EvaluationReport, TrainingReport
from tasks.caching import effect_step
from tasks.io import tracking
from tasks.io.books import Books
from tasks.io.digests import digest_of
from tasks.io.home import current_home
from tasks.io.model_package import Example
from tasks.io.provenance import MADE_BY_TAG, digests_of, start_tags
from tasks.io.registered import registered
from tasks.io.registry import Registration

_EXAMPLES = 3


@effect_step
def register(
    config: AgentConfig,
    snapshot: DatasetSnapshot,
    training: TrainingReport,
    evaluation: EvaluationReport,
    made_by: str = "fine_tune",
) -> int:
    """Record a training in MLflow and make its version, or find the one that is there.

    Args:
        config: The agent.
        snapshot: The rows.
        training: What fine-tuning made.
        evaluation: How good it is.
        made_by: The step that made the model.
    """
    books = current_home().books()
    identity = digest_of([training.model.digest, snapshot.artifact.digest])

    def record(run_id: str) -> Registration:
        _record(books, run_id, (config, snapshot, training, evaluation))
        return Registration(
            agent=config.name,
            model=training.model,
            training=identity,
            run_id=run_id,
            digests=digests_of(f"tasks.{made_by}", config, snapshot.artifact.digest),
            example=_examples(config, snapshot),
            more_tags={MADE_BY_TAG: made_by, **start_tags(config)},
        )

    return registered(books, config.name, identity, record)


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
    figures |= {
        f"{evaluation.primary}_under_{r.perturbation}": r.perturbed.value for r in evaluation.robustness
    }
    figures |= {f"robustness_drop_{r.perturbation}": r.lost.value for r in evaluation.robustness}
    figures |= {"seconds_total": training.seconds, "tokens_per_second": training.tokens_per_second}
    tracking.log_metrics(books, run_id, figures)
    for name, item in (("snapshot", snapshot), ("training", training), ("evaluation", evaluation)):
        tracking.log_record(books, run_id, f"{name}.json", item)


def _examples(config: AgentConfig, snapshot: DatasetSnapshot) -> tuple[Example, ...]:
    """Take the first rows of a snapshot as the input example; a single input without its name, as text."""
    names = get_adapter(config).inputs().names
    file = pq.ParquetFile(Path(snapshot.artifact.address) / "rows.parquet")
    first = next(file.iter_batches(_EXAMPLES, columns=names)).to_pylist()
    if len(names) > 1:
        return tuple(first)
    values = [row[names[0]] for row in first]
    return tuple(item if isinstance(item, str) else " ".join(item) for item in values)
