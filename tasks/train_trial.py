"""Step `train_trial`: train one trial of a search in a child process, watched by the pruner."""

import os

from models.schemas import EncodedDataset
from models.schemas.search import with_values
from models.schemas.trials import Search, Trial, TrialReport, best_of
from tasks.caching import effect_step
from tasks.io.digests import checked
from tasks.io.home import current_home
from tasks.io.search.results import finished
from tasks.io.search.study import open_study
from tasks.io.search.trial import train_trial as train
from tasks.io.snapshot_store import verify
from tasks.io.training_job import training_job
from tasks.progress import shown


@effect_step
def train_trial(search: Search, trial: Trial, encoded: EncodedDataset) -> TrialReport:
    """Train a trial; one that was cut off goes on where its last checkpoint was.

    Args:
        search: The search.
        trial: The values to try.
        encoded: The tokenized rows.

    Raises:
        ArtifactError: The rows, plain or tokenized, are not what their digests say.
    """
    verify(search.snapshot)
    checked(encoded.artifact)
    config = with_values(search.config, trial.values)
    study = open_study(current_home().search_url, search.study, search.config)
    job = training_job(config, search.snapshot, encoded)
    best = best_of(finished(study))
    lead = f", best {best.report.score:.3f}" if best and best.report.score is not None else ""
    with shown(f"trial-{search.agent}", f"{search.agent} trial {trial.number}{lead}") as on_progress:
        return train(study, trial, job, on_progress, _threads(search.config.search_workers))


def _threads(workers: int) -> int | None:
    """Share the cores out among the trials at work; a single one has them all."""
    return None if workers == 1 else max(1, len(os.sched_getaffinity(0)) // workers)
