"""Pretraining: from packed texts to a stored start, able to go on where it was cut off.

What a step draws follows from its number (`stream.py`), and dropout's state is in the checkpoints. The
process that this runs in is `child.py`.
"""

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer

from models.batching import Batch
from models.kernels import fast_linears, in_bfloat16
from models.pretrain.blocks import Blocks
from models.pretrain.job import START, PretrainJob
from models.pretrain.networks import LanguageModel, load_language_model, new_language_model
from models.pretrain.objectives import make_objective
from models.pretrain.optimizer import build_optimizer
from models.pretrain.packing import TOKENIZER, read_texts
from models.pretrain.result import finished_pretraining
from models.pretrain.scoring import judged_texts, score_of, score_texts
from models.pretrain.store import PLAIN, PretrainedStart, save_pretrained_start
from models.pretrain.stream import BatchStream
from models.schemas import CurvePoint
from models.schemas.pretrain import PretrainReport
from models.training.checkpoint import read_latest, write_checkpoint
from models.training.clock import Clock
from models.training.files import write_whole
from models.training.job import CHECKPOINTS, REPORT, Heartbeat
from models.training.losses import LossLog
from models.training.monitor import Monitor
from models.training.optimizer import rate_factor, set_rates
from models.training.state import TrainingState

_LOSSES_AT_ONCE_ON_GPU = 20
_logger = logging.getLogger(__name__)


def pretrain(job: PretrainJob) -> PretrainReport:
    """Pretrain a model and store it in `job.out`.

    A job that already ended is not run again, and one that was cut off goes on at its last checkpoint: on the
    same machine it ends with the same weights, bit for bit, as one that was never cut off.

    Raises:
        ConfigError: The encoder can not be loaded, or can not learn by this objective.
        ArtifactError: The packed texts can not be read.
        TrainingError: The loss is not a number.
    """
    job.folder.mkdir(parents=True, exist_ok=True)
    done = finished_pretraining(job)
    if done is not None:
        return done
    with torch.random.fork_rng(range(torch.cuda.device_count())):
        torch.manual_seed(job.config.seed)
        return _Pretraining(job).run()


class _Pretraining:
    """One session of a job: a head which the model's files lack learns first, then all of the model."""

    def __init__(self, job: PretrainJob) -> None:
        self.job, self.config = job, job.config
        self.clock, self.monitor = Clock(), Monitor(job.folder)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        with self.clock.measure("setup"):
            packed = Path(job.packed.address)
            self.language = _begun(job, packed)
            self.model: Any = torch.nn.Module.to(self.language.model, self.device)
            self.vocabulary = int(self.model.config.vocab_size)
            self.objective = make_objective(self.config, self.language.tokenizer)
            blocks = Blocks(packed / "train.arrow")
            self.stream = BatchStream(blocks, self.objective, self.vocabulary, job.parts, self.device)
            self.judged = judged_texts(self.objective, read_texts(packed, "validation"))
            self.head_steps = self.config.head_steps if self.language.fresh_head else 0
            steps = max(1, round(self.config.epochs * self.stream.steps_an_epoch))
            self.total_steps = self.head_steps + min(steps, self.config.steps or steps)
            self.state = TrainingState(self.model, build_optimizer(self.language, self.config))
            self.resumed_from = self._resume()
        self.bfloat16 = in_bfloat16(self.config.precision, self.device.type)
        self.losses = LossLog(_LOSSES_AT_ONCE_ON_GPU if self.device.type == "cuda" else 1)
        self.tokens = 0

    def run(self) -> PretrainReport:
        """Train to the end, or until validation no longer improves, and store the best weights."""
        position = self.state.position
        self._beat()
        with fast_linears(self.model):
            self._freeze(position.step < self.head_steps)
            if position.step == self.head_steps:
                self._begin_whole()
            for parts in self._batches():
                self._step(parts)
                self._look_around()
        return self._finish()

    def _batches(self) -> Iterator[list[Batch]]:
        """Give the batches that are still to do, until patience ends."""
        made = self.stream.batches(self.state.position.step, self.total_steps)
        while self.state.position.misses < self.config.patience:
            with self.clock.measure("loading"):
                parts = next(made, None)
            if parts is None:
                return
            yield parts

    def _step(self, parts: list[Batch]) -> None:
        position, optimizer = self.state.position, self.state.optimizer
        self.model.train()
        targets = max(1, sum(part.targets for part in parts))
        losses = []
        for part in parts:
            with self.clock.measure("forward"), self._precise():
                loss = self.objective.losses(self.model, part).sum() / targets
                losses.append(loss.detach())
            with self.clock.measure("backward"):
                torch.autograd.backward(loss)
        with self.clock.measure("optimizer"):
            self.losses.add(torch.stack(losses).sum(), position)
            set_rates(optimizer, self._rate())
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.max_grad_norm)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        position.step += 1
        self.tokens += sum(part.tokens for part in parts)

    def _precise(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16)

    def _rate(self) -> float:
        """Give the share of the peak rate; it rises and falls for the head alone, then again for all."""
        step, first, last = self.state.position.step, self.head_steps, self.total_steps
        done, steps = (step, first) if step < first else (step - first, last - first)
        return rate_factor((done + 0.5) / steps, self.config.warmup_share)

    def _look_around(self) -> None:
        """Do what is due after a step: score, keep a checkpoint, show a sign of life."""
        step = self.state.position.step
        whole = step - self.head_steps
        if whole == 0:
            self._begin_whole()
        elif whole > 0 and (whole % self.config.evaluate_steps == 0 or step == self.total_steps):
            self._evaluate()
        if step % self.config.checkpoint_steps == 0:
            self._checkpoint()
        self._beat_if_due()

    def _begin_whole(self) -> None:
        """Keep the head that fits the encoder as it is, score them, and let all learn."""
        if self.language.fresh_head:
            head = {name: w.detach().cpu().contiguous() for name, w in self.language.head().items()}
            save_file(head, self.job.folder / PLAIN)
        if not self.state.curve:
            self._evaluate()
        self._freeze(False)

    def _freeze(self, frozen: bool) -> None:
        """Let the head learn alone, or the whole model."""
        self.model.requires_grad_(not frozen)
        for weight in self.language.head().values() if frozen else ():
            weight.requires_grad_(True)

    def _evaluate(self) -> None:
        """Score the validation texts and keep the weights if they are the best so far; a tie is not."""
        state, position = self.state, self.state.position
        self.losses.read(position, position.step - 1)
        with self.clock.measure("validation"):
            nll, targets = score_texts(self.model, self.objective, self.judged, lambda _: self._beat_if_due())
        value = score_of(nll, targets, self.vocabulary)
        position.misses += 1
        if value > position.best_score or not state.best:
            position.best_score, position.best_step, position.misses = value, position.step, 0
            state.keep_best()
        loss = self.losses.mean(position)
        state.curve.append(
            CurvePoint(
                step=position.step,
                epoch=position.step / self.stream.steps_an_epoch,
                train_loss=loss,
                validation_score=value,
                seconds=self._seconds,
            )
        )
        self.monitor.show_curve(state.curve)
        perplexity = np.exp(nll.sum() / max(1, targets.sum()))
        _logger.info("Step %d: loss %.4f, validation perplexity %.2f", position.step, loss, perplexity)

    def _checkpoint(self) -> None:
        self.losses.read(self.state.position, self.state.position.step - 1)
        with self.clock.measure("checkpoint"):
            checkpoint = self.state.checkpoint(self._seconds)
            write_checkpoint(self.job.folder / CHECKPOINTS, checkpoint, self.job.digest)

    def _resume(self) -> int:
        checkpoint = read_latest(self.job.folder / CHECKPOINTS, self.job.digest)
        if checkpoint is not None:
            self.state.resume(checkpoint)
            _logger.info("Pretraining goes on at step %d", checkpoint.step)
        self.monitor.show_curve(self.state.curve)
        return self.state.position.step

    @property
    def _seconds(self) -> float:
        return self.state.position.seconds + self.clock.elapsed

    def _beat_if_due(self) -> None:
        if self.monitor.due:
            self._beat()

    def _beat(self) -> None:
        self.monitor.beat(
            Heartbeat(
                step=self.state.position.step,
                total_steps=self.total_steps,
                loss=self.losses.last,
                seconds=self._seconds,
                tokens_per_second=self.tokens / max(self.clock.training_seconds, 1e-9),
                resumed_from=self.resumed_from,
            )
        )

    def _finish(self) -> PretrainReport:
        """Store the best weights, then the report, which says that the job ended."""
        state, position = self.state, self.state.position
        speed = self.tokens / max(self.clock.training_seconds, 1e-9)
        with self.clock.measure("save"):
            state.take_best()
            self.model.cpu()
            plain = load_file(self.job.folder / PLAIN) if self.language.fresh_head else None
            start = PretrainedStart(self.config, self.language, plain)
            stored = save_pretrained_start(self.job.folder / START, start)
        report = PretrainReport(
            start=stored,
            steps=position.step,
            best_step=position.best_step,
            best_score=position.best_score,
            curve=tuple(state.curve),
            vocabulary=self.vocabulary,
            parameters=sum(weight.numel() for weight in self.model.parameters()),
            seconds=self._seconds,
            tokens_per_second=speed,
            resumed_from=self.resumed_from,
            stopped="finished" if position.step >= self.total_steps else "early",
            job=self.job.digest,
        )
        write_whole(self.job.folder / REPORT, report.model_dump_json(indent=2))
        shutil.rmtree(self.job.folder / CHECKPOINTS, ignore_errors=True)
        return report


def _begun(job: PretrainJob, packed: Path) -> LanguageModel:
    """Load the model that goes on learning, or make the new one with the tokenizer of its texts."""
    if not job.config.from_scratch:
        return load_language_model(job.config.encoder, job.config.objective, job.config.seed)
    return new_language_model(job.config, AutoTokenizer.from_pretrained(packed / TOKENIZER))
