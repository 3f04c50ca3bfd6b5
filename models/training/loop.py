"""Fine-tuning: from encoded windows to a stored model, able to go on where it was cut off.

The process that this runs in, its time limit and its end are `child.py` and `tasks/io/child.py`.
"""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from accelerate.accelerator import Accelerator
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from models.adapters import get_adapter
from models.batching import Batch, Collator, plan_batches, prefetched
from models.kernels import fast_linears
from models.networks import Network
from models.objectives import make_objective
from models.schemas import CurvePoint, TrainingReport
from models.task_model import build, load
from models.training.checkpoint import read_latest, write_checkpoint
from models.training.clock import Clock
from models.training.data import answer, load_data, score
from models.training.dropout import set_dropout
from models.training.job import CHECKPOINTS, Heartbeat, TrainJob
from models.training.losses import LossLog
from models.training.monitor import Monitor
from models.training.optimizer import build_optimizer, pretrained_decay, rate_factor, set_rates, thaw
from models.training.result import finished_report, store_model, store_report
from models.training.start_decay import start_decay
from models.training.state import TrainingState
from models.training.vocabulary import ReachedVocabulary
from models.tuning.tune import merge, trained_share
from models.window_reader import Layout

_LOSSES_AT_ONCE_ON_GPU = 20
_logger = logging.getLogger(__name__)


def fine_tune(job: TrainJob) -> TrainingReport:
    """Train an agent's model and store it in `job.out`.

    A job that already ended is not run again, and one that was cut off goes on at its last checkpoint:
    on the same machine it ends with the same weights, bit for bit, as one that was never cut off.

    Raises:
        DataError: A split is empty or a label has no row.
        ConfigError: The encoder can not be loaded.
        TrainingError: The loss is not a number.
    """
    job.folder.mkdir(parents=True, exist_ok=True)
    done = finished_report(job)
    if done is not None:
        return done
    with torch.random.fork_rng(range(torch.cuda.device_count())):
        torch.manual_seed(job.seeded_config.seed)
        return _Training(job).run()


class _Training:
    """One session of a job."""

    def __init__(self, job: TrainJob) -> None:
        self.job = job
        self.config = job.seeded_config
        self.clock = Clock()
        self.monitor = Monitor(job.folder)
        with self.clock.measure("setup"):
            self.adapter = get_adapter(self.config)
            self.objective = make_objective(self.adapter)
            self.data = load_data(job, self.adapter)
            model, self.tokenizer = _start(job)
            self.pad_id = int(self.tokenizer.pad_token_id or 0)
            windows = (self.data.train, self.data.validation)
            self.vocabulary = ReachedVocabulary(model, windows, self.pad_id)
            self.accelerator = _accelerator(self.config.precision)
            prepared: Network = self.accelerator.prepare(model)
            if self.config.compiled:
                prepared.compile(dynamic=True)
            self.state = TrainingState(prepared, build_optimizer(prepared, self.config))
            self.start_decay = start_decay(prepared, self.config)
            self.resumed_from = self._resume()
        gpu = self.accelerator.device.type == "cuda"
        layout = Layout(
            self.adapter.marks > 0,
            self.adapter.together,
            model.pads_left,
            model.writes and not model.pads_left,
        )
        self.collate = Collator(self.data.train, self.pad_id, layout, pin=gpu)
        self.losses = LossLog(_LOSSES_AT_ONCE_ON_GPU if gpu else 1)
        self.tokens = 0
        self.total_steps = self.config.epochs * len(self._plan(0))

    def run(self) -> TrainingReport:
        """Train to the end, or until validation no longer improves, and store the best weights."""
        position = self.state.position
        self._beat()
        with fast_linears(self.state.model):
            while position.epoch < self.config.epochs and position.misses < self.config.patience:
                self._train_epoch(position.epoch)
                self._evaluate()
        return self._finish("finished" if position.epoch >= self.config.epochs else "early")

    def _train_epoch(self, epoch: int) -> None:
        position = self.state.position
        thaw(self.state.model, self.config, epoch)
        self.state.model.train()
        for parts, batches in self._batches(epoch):
            progress = (epoch + (position.batch + 0.5) / batches) / self.config.epochs
            self._step(parts, rate_factor(progress, self.config.warmup_share))
            if position.step % self.config.checkpoint_steps == 0:
                self._checkpoint()
            if self.monitor.due:
                self._beat()
        position.epoch, position.batch = epoch + 1, 0

    def _plan(self, epoch: int) -> list[np.ndarray]:
        config = self.config
        return plan_batches(self.collate.lengths, config.tokens_per_batch, config.seed, epoch)

    def _batches(self, epoch: int) -> Iterator[tuple[tuple[Batch, ...], int]]:
        """Yield the epoch's batches that are still to do, in parts, each with how many the epoch has."""
        with self.clock.measure("loading"):
            plan = self._plan(epoch)
            made = prefetched(plan[self.state.position.batch :], self._load)
        while True:
            with self.clock.measure("loading"):
                parts = next(made, None)
            if parts is None:
                return
            yield parts, len(plan)

    def _load(self, positions: np.ndarray) -> tuple[Batch, ...]:
        parts = self.collate.in_parts(positions, self.job.parts)
        return tuple(part.to(self.accelerator.device) for part in parts)

    def _step(self, parts: tuple[Batch, ...], factor: float) -> None:
        model, optimizer, position = self.state.model, self.state.optimizer, self.state.position
        targets = max(1, sum(part.targets for part in parts))
        losses = [loss for part in parts for loss in self._backward(part, part.targets / targets)]
        with self.clock.measure("optimizer"):
            self.losses.add(torch.stack(losses).sum(), position)
            set_rates(optimizer, factor)
            self.accelerator.clip_grad_norm_(model.parameters(), self.config.max_grad_norm)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            if self.start_decay is not None:
                self.start_decay.pull(self.config.learning_rate * factor)
        if self.vocabulary.trains:
            decay = pretrained_decay(self.config)
            position.embedding_factor *= 1.0 - self.config.learning_rate * factor * decay
        position.step += 1
        position.batch += 1
        self.tokens += sum(part.tokens for part in parts)

    def _backward(self, part: Batch, share: float) -> Iterator[Tensor]:
        """Go backward through each term of the objective, weighed by `share`, and yield its value."""
        terms = self.objective.terms(self.state.model, part)
        while True:
            with self.clock.measure("forward"):
                term = next(terms, None)
            if term is None:
                return
            with self.clock.measure("backward"):
                loss = term * share
                self.accelerator.backward(loss)
            yield loss.detach()

    def _evaluate(self) -> None:
        """Score the validation rows and keep the weights if they are the best so far; a tie is not."""
        state, position = self.state, self.state.position
        self.losses.read(position, position.step - 1)
        with self.clock.measure("validation"):
            value = score(state.model, self.tokenizer, self.job, self.data, self._beat)
            position.misses += 1
            if value > position.best_score:
                position.best_score, position.best_step, position.misses = value, position.step, 0
                position.best_factor = position.embedding_factor
                state.keep_best()
        loss = self.losses.mean(position)
        state.curve.append(
            CurvePoint(
                step=position.step,
                epoch=float(position.epoch),
                train_loss=loss,
                validation_score=value,
                seconds=self._seconds,
            )
        )
        self.monitor.show_curve(state.curve)
        self._beat()
        name = self.adapter.curve_metric
        _logger.info(
            "Epoch %d, step %d: loss %.4f, validation %s %.4f",
            position.epoch,
            position.step,
            loss,
            name,
            value,
        )

    def _checkpoint(self) -> None:
        self.losses.read(self.state.position, self.state.position.step - 1)
        with self.clock.measure("checkpoint"):
            checkpoint = self.state.checkpoint(self._seconds)
            write_checkpoint(self.job.folder / CHECKPOINTS, checkpoint, self.job.digest)

    def _resume(self) -> int:
        checkpoint = read_latest(self.job.folder / CHECKPOINTS, self.job.digest)
        if checkpoint is not None:
            self.state.resume(checkpoint)
            _logger.info("Training goes on at step %d", checkpoint.step)
        self.monitor.show_curve(self.state.curve)
        return self.state.position.step

    @property
    def _seconds(self) -> float:
        return self.state.position.seconds + self.clock.elapsed

    def _beat(self) -> None:
        position, clock = self.state.position, self.clock
        self.monitor.beat(
            Heartbeat(
                step=position.step,
                total_steps=max(position.step, self.total_steps),
                loss=self.losses.last,
                seconds=self._seconds,
                tokens_per_second=self.tokens / max(clock.training_seconds, 1e-9),
                resumed_from=self.resumed_from,
            )
        )

    def _finish(self, stopped: Literal["finished", "early"]) -> TrainingReport:
        """Store the best weights with the whole embedding table, then the report."""
        state, position, clock = self.state, self.state.position, self.clock
        training_seconds = clock.training_seconds
        with clock.measure("save"):
            state.take_best()
            if self.adapter.shifts:
                answers = answer(state.model, self.tokenizer, self.job, self.data, self._beat)
                state.model.shift(self.adapter.shift(answers, self.data.rows))
            model = self.accelerator.unwrap_model(state.model, keep_fp32_wrapper=False).cpu()
            self.vocabulary.restore(position.best_factor)
            thaw(model, self.config, max(0, position.epoch - 1))  # as it was, were it resumed at the end
            share = trained_share(model)
            if self.config.merge_weights:
                merge(model, self.config)
            stored = store_model(self.job.folder, model, self.tokenizer, self.config)
        report = TrainingReport(
            model=stored,
            steps=position.step,
            epochs=float(position.epoch),
            best_step=position.best_step,
            best_score=position.best_score,
            curve=tuple(state.curve),
            seconds=self._seconds,
            model_share=clock.model_share,
            tokens_per_second=self.tokens / max(training_seconds, 1e-9),
            resumed_from=self.resumed_from,
            stopped=stopped,
            seconds_by_part=clock.seconds,
            job=self.job.digest,
            trained_share=share,
        )
        store_report(self.job, report)
        return report


def _start(job: TrainJob) -> tuple[Network, PreTrainedTokenizerBase]:
    """Build the model, or load the one that the job starts from."""
    if job.start is None:
        model, tokenizer = build(job.seeded_config)
    else:
        agent = load(Path(job.start.address))
        model, tokenizer = agent.model, agent.tokenizer
    if job.config.dropout is not None:
        set_dropout(model, job.config.dropout)
    return model, tokenizer


def _accelerator(precision: Literal["auto", "fp32", "bf16"]) -> Any:  # noqa: ANN401 - its methods are untyped
    return Accelerator(mixed_precision=_precision(precision))


def _precision(asked: Literal["auto", "fp32", "bf16"]) -> Literal["no", "bf16"]:
    """Choose bf16 where it is asked for, and under `auto` on a GPU that has it."""
    gpu = torch.cuda.is_available() and torch.cuda.is_bf16_supported()
    return "bf16" if asked == "bf16" or (asked == "auto" and gpu) else "no"
