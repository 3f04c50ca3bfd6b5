"""Step `register_pretrained`: a pretraining's run in MLflow, and its one version in the registry."""

from models.schemas.pretrain import PackedCorpus, PretrainConfig, PretrainReport, PretrainScores
from tasks.caching import effect_step
from tasks.io import tracking
from tasks.io.books import Books
from tasks.io.digests import digest_of
from tasks.io.flavours import START
from tasks.io.home import current_home
from tasks.io.provenance import digests_of
from tasks.io.registered import registered
from tasks.io.registry import Registration
from tasks.io.report.pretrained_pictures import draw_pretrained

_TRAINING = "tasks.pretrain_fit"
_EXAMPLE = ("A first text to embed.", "And a second one.")


@effect_step
def register_pretrained(
    config: PretrainConfig, packed: PackedCorpus, training: PretrainReport, scores: PretrainScores
) -> int:
    """Record a pretraining in MLflow and make its version, or find the one that is there.

    Args:
        config: The start.
        packed: Its corpus in sub-words.
        training: What pretraining made.
        scores: How well it predicts held-out texts.
    """
    books = current_home().books()
    identity = digest_of([training.start.digest, packed.artifact.digest])

    def record(run_id: str) -> Registration:
        tracking.log_record(books, run_id, "packed.json", packed)
        _record(books, run_id, config, training, scores)
        return Registration(
            agent=config.agent,
            model=training.start,
            training=identity,
            run_id=run_id,
            digests=digests_of(_TRAINING, config, packed.artifact.digest),
            example=_EXAMPLE,
            flavour=START,
        )

    return registered(books, config.agent, identity, record)


def _record(
    books: Books, run_id: str, config: PretrainConfig, training: PretrainReport, scores: PretrainScores
) -> None:
    tracking.log_config(books, run_id, config)
    tracking.log_curve(books, run_id, training.curve)
    figures = {"perplexity": scores.perplexity.value, "size_mb": scores.size_mb}
    figures |= {f"perplexity of {name}": metric.value for name, metric in scores.baselines.items()}
    figures |= {"seconds_total": training.seconds, "tokens_per_second": training.tokens_per_second}
    tracking.log_metrics(books, run_id, figures)
    tracking.log_record(books, run_id, "training.json", training)
    tracking.log_record(books, run_id, "scores.json", scores)
    tracking.log_pictures(books, run_id, draw_pretrained(training))
