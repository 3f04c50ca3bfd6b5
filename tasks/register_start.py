"""Step `register_start`: a meta-training's run in MLflow, and its one version in the registry."""

from models.schemas.start import EpisodeRows, StartConfig, StartReport, StartScores
from tasks.caching import effect_step
from tasks.io import tracking
from tasks.io.books import Books
from tasks.io.digests import digest_of
from tasks.io.flavours import START
from tasks.io.home import current_home
from tasks.io.provenance import digests_of
from tasks.io.registered import registered
from tasks.io.registry import Registration
from tasks.io.report.start_pictures import draw_start

_TRAINING = "tasks.meta_fit"
_EXAMPLE = ("A first text to embed.", "And a second one.")


@effect_step
def register_start(config: StartConfig, rows: EpisodeRows, training: StartReport, scores: StartScores) -> int:
    """Record a meta-training in MLflow and make its version, or find the one that is there.

    Args:
        config: The start.
        rows: The tokenized rows of its sources.
        training: What meta-training made.
        scores: How well it adapts to the episodes of meta-test.
    """
    books = current_home().books()
    data = digest_of([source.encoded.digest for source in rows.sources])
    identity = digest_of([training.start.digest, data])

    def record(run_id: str) -> Registration:
        tracking.log_record(books, run_id, "rows.json", rows)
        _record(books, run_id, config, training, scores)
        return Registration(
            agent=config.agent,
            model=training.start,
            training=identity,
            run_id=run_id,
            digests=digests_of(_TRAINING, config, data),
            example=_EXAMPLE,
            flavour=START,
        )

    return registered(books, config.agent, identity, record)


def _record(
    books: Books, run_id: str, config: StartConfig, training: StartReport, scores: StartScores
) -> None:
    tracking.log_config(books, run_id, config)
    tracking.log_curve(books, run_id, training.curve)
    figures = {"meta_test_score": scores.score.value, "size_mb": scores.size_mb}
    figures |= {"seconds_total": training.seconds, "best_validation_score": training.best_score}
    tracking.log_metrics(books, run_id, figures)
    tracking.log_record(books, run_id, "training.json", training)
    tracking.log_record(books, run_id, "scores.json", scores)
    tracking.log_pictures(books, run_id, draw_start(training, scores))
