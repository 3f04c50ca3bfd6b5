"""From a job to a stored start: what the child process that meta-trains does."""

import shutil
from collections.abc import Callable
from pathlib import Path

import torch
from pydantic import ValidationError
from transformers import PreTrainedModel

from models.encoder import load_encoder
from models.episodes.splits import key
from models.errors import ArtifactError
from models.kernels import in_bfloat16
from models.learners import make_learner
from models.meta.job import START, MetaJob
from models.meta.kept import Storage
from models.meta.lessons import Splits, States, check_episodes, make_source, split_pools
from models.meta.loop import Keeping, Lessons, MetaResult, MetaTraining, Progress
from models.meta.mixed import attends_plainly
from models.meta.networks import Chosen, build_networks, put_back
from models.meta.ranks import rank, wait_for_all
from models.meta.scoring import Start
from models.meta.settings import settings_of
from models.meta.store import Seen, StoredStart, save_start
from models.schemas import ArtifactRef
from models.schemas.start import StartReport
from models.training.files import folder_ref, write_whole
from models.training.job import CHECKPOINTS, REPORT, Heartbeat
from models.training.monitor import Monitor


def meta_fit(job: MetaJob) -> StartReport:
    """Meta-train a start and store it in `job.out`.

    A job that already ended is not run again, and one that was cut off goes on at its last checkpoint.

    Raises:
        DataError: The sources do not hold the classes and rows that episodes need.
        ConfigError: The encoder can not be loaded, or not be cut where the description says.
        TrainingError: The loss is not a number.
    """
    job.folder.mkdir(parents=True, exist_ok=True)
    done = finished_start(job)
    if done is not None:
        return done
    monitor = Monitor(job.folder) if rank() == 0 else None
    encoder, tokenizer = load_encoder(job.config.encoder)
    torch.nn.Module.to(encoder, torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    pools = split_pools(job.config, job.rows, tokenizer)
    check_episodes(job.config, pools)
    training = _training(job, encoder, pools, monitor)
    result = training.run()
    if rank() == 0:
        weights = next(iter(training.networks.values())).weights(result.params)
        put_back(encoder, job.config.meta_layers, weights)
        own = {name: w for name, w in result.params.items() if name not in weights}
        _store(job, StoredStart(job.config, encoder, tokenizer, own, _seen(pools)), result, pools)
    wait_for_all()
    return read_start_report(job.folder)


def _store(job: MetaJob, learned: StoredStart, result: MetaResult, pools: Splits) -> None:
    """Store the start and the report, and let the checkpoints go."""
    stored = save_start(job.folder / START, learned)
    report = _report(job, result, stored, pools)
    write_whole(job.folder / REPORT, report.model_dump_json(indent=2))
    shutil.rmtree(job.folder / CHECKPOINTS, ignore_errors=True)


def finished_start(job: MetaJob) -> StartReport | None:
    """Give the report of this very job if it ended and its start is still what the report says."""
    path = job.folder / REPORT
    if not path.exists():
        return None
    try:
        report = StartReport.model_validate_json(path.read_bytes())
    except ValidationError:
        return None
    found = folder_ref(job.folder / START).digest
    return report if report.job == job.digest and report.start.digest == found else None


def read_start_report(out: Path) -> StartReport:
    """Read the report of the meta-training in `out`.

    Raises:
        ArtifactError: There is none.
    """
    try:
        return StartReport.model_validate_json((out / REPORT).read_bytes())
    except (FileNotFoundError, ValidationError) as error:
        raise ArtifactError(
            f"{out / REPORT} is no report of a meta-training: {error}. Run it again."
        ) from error


def _training(job: MetaJob, encoder: PreTrainedModel, pools: Splits, monitor: Monitor | None) -> MetaTraining:
    """Cut the encoder, run what lies below once over all rows, and describe the meta-training."""
    config = job.config
    learner = make_learner(config.learner, config.learner_settings)
    kinds = sorted({pool.kind for found in pools.values() for pool, _ in found})
    device = encoder.device.type
    plain = attends_plainly(learner, config.precision, device)
    networks, below = build_networks(
        encoder, kinds, config.meta_layers, chosen=Chosen.of(config), plain_attention=plain
    )

    def alive(share: float) -> None:
        del share
        if monitor and monitor.due:
            monitor.beat(_heartbeat(Progress(0, config.steps, None, (), 0.0)))

    states = States(
        pad_id=int(encoder.config.pad_token_id or 0),
        below=below,
        storage=Storage(job.folder),
        alive=alive,
        bfloat16=in_bfloat16(config.precision, device),
    )
    train = make_source(config, pools, "train", states)
    validation = make_source(config, pools, "validation", states)
    settings = settings_of(config).model_copy(update={"parts": job.parts})
    keeping = Keeping(job.folder / CHECKPOINTS, job.digest)
    start = Start(learner, networks, {})
    return MetaTraining(start, Lessons(train, validation), settings, keeping, _shown(monitor))


def _seen(pools: Splits) -> Seen:
    learned_from = [pool for split in ("train", "validation") for pool, _ in pools[split]]
    return Seen(
        classes=tuple(sorted({key(name) for pool in learned_from for name in pool.classes})),
        domains=tuple(sorted({key(pool.domain) for pool in learned_from})),
    )


def _report(job: MetaJob, result: MetaResult, stored: ArtifactRef, pools: Splits) -> StartReport:
    position = result.state.position
    return StartReport(
        start=stored,
        steps=position.step,
        best_step=position.best_step,
        best_score=position.best_score,
        curve=tuple(result.state.curve),
        seconds=result.seconds,
        resumed_from=result.resumed_from,
        stopped="finished" if position.step >= job.config.steps else "early",
        classes={split: sum(len(pool.classes) for pool, _ in found) for split, found in pools.items()},
        job=job.digest,
    )


def _shown(monitor: Monitor | None) -> Callable[[Progress], None]:
    """Give what writes heartbeats, and the curve where it grew; the first of several processes does."""
    known = 0
    if monitor is None:
        return lambda _: None

    def show(now: Progress) -> None:
        nonlocal known
        if len(now.curve) > known:
            monitor.show_curve(list(now.curve))
            known = len(now.curve)
        elif not monitor.due:
            return
        monitor.beat(_heartbeat(now))

    return show


def _heartbeat(now: Progress) -> Heartbeat:
    return Heartbeat(
        step=now.step,
        total_steps=now.steps,
        loss=now.loss,
        seconds=now.seconds,
        tokens_per_second=0.0,
        resumed_from=now.resumed_from,
    )
