"""Score a start on episodes, and keep what became of each of their queries."""

from pathlib import Path

from models.evaluate import outcomes_of
from models.meta.judging import by_row, judged_episodes
from models.meta.store import StoredStart, load_start, plain_start
from models.metrics import score_counts
from models.schemas import ArtifactRef
from models.schemas.start import EpisodeRows, StartConfig, StartScores
from tasks.io.digests import checked
from tasks.io.evaluation import OUTCOMES, baseline_file, keep
from tasks.io.progress import progress_bar

PLAIN = "plain encoder"
"""The baseline that every start has: its encoder as it was before, adapted by its learner."""
_PROTOTYPES = "prototypical"


def score(
    config: StartConfig, rows: EpisodeRows, start: ArtifactRef, out: Path, *, full: bool = True
) -> StartScores:
    """Score a start, and what has learned nothing, on the same meta-test episodes.

    Args:
        config: Says which classes are held out, and how episodes look.
        rows: The tokenized rows of its sources.
        start: The start's folder.
        out: Folder for the outcomes of each query; it appears whole.
        full: Also score the baselines.

    Raises:
        DataError: Meta-test does not hold the classes and rows that episodes need.
        ArtifactError: Start or rows are gone or not what their digests say.
    """
    for source in rows.sources:
        checked(source.encoded)
    wanted = {OUTCOMES: load_start(checked(start))}
    if full:
        wanted |= {baseline_file(name): one for name, one in baselines(config).items()}
    tables = {}
    with progress_bar(f"scoring {config.agent}") as show:
        for place, (name, one) in enumerate(wanted.items()):
            words = name.removesuffix(".parquet")
            show(place / len(wanted), words)
            tables[name] = judged_episodes(one, config, rows)
    scores = {
        name: score_counts(outcomes_of(by_row(table)).counts, config.seed) for name, table in tables.items()
    }
    return StartScores(
        start=start,
        score=scores[OUTCOMES],
        baselines={_plain(name): metric for name, metric in scores.items() if name != OUTCOMES},
        outcomes=keep(tables, out),
        size_mb=sum(p.stat().st_size for p in Path(start.address).rglob("*.safetensors")) / 1e6,
    )


def baselines(config: StartConfig) -> dict[str, StoredStart]:
    """Give the pretrained encoder as it is, adapted by the learner itself and by prototypes."""
    plain = plain_start(config)
    found = {PLAIN: plain}
    if config.learner != _PROTOTYPES:
        prototypes = config.model_copy(
            update={"learner": _PROTOTYPES, "learner_settings": {}, "meta_layers": "none"}
        )
        found[f"{PLAIN}, prototypes"] = plain_start(prototypes)
    return found


def _plain(file: str) -> str:
    return Path(file).stem.removeprefix("baseline-")
