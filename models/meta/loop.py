"""Meta-training: outer steps over episodes, scored on meta-validation, able to go on where it was cut off.

Which encoder, which rows and which process: `job.py`.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from models.episodes import Episode
from models.errors import TrainingError
from models.learners import EpisodeBatch, MetaGradient, Network, Params
from models.meta.batches import by_kind, stacked
from models.meta.gathered import gathered
from models.meta.mixed import in_precision
from models.meta.ranks import add_up, own_share, rank
from models.meta.scoring import Source, Start, score_episodes
from models.meta.settings import MetaSettings
from models.meta.shared import begun, body_names, seen_by, shared
from models.meta.state import MetaState
from models.schemas import CurvePoint
from models.training.checkpoint import read_latest, write_checkpoint
from models.training.clock import Clock

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Progress:
    """How far a meta-training is.

    Args:
        step: Outer steps done.
        steps: All outer steps.
        loss: The last step's loss; none before the first.
        curve: Scores so far.
        seconds: Time since the beginning, earlier sessions included.
        resumed_from: Step of the checkpoint that this session began at.
    """

    step: int
    steps: int
    loss: float | None
    curve: tuple[CurvePoint, ...]
    seconds: float
    resumed_from: int = 0


@dataclass(frozen=True)
class MetaResult:
    """What came of a meta-training.

    Args:
        params: The best meta-parameters, on the CPU.
        state: The last state: where it ended and the curve.
        resumed_from: Step of the checkpoint that this session began at.
        seconds: Time since the beginning, earlier sessions included.
    """

    params: Params
    state: MetaState
    resumed_from: int
    seconds: float


@dataclass(frozen=True)
class Lessons:
    """What a meta-training reads.

    Args:
        train: Episodes to learn from.
        validation: Episodes to select on.
    """

    train: Source
    validation: Source


@dataclass(frozen=True)
class Keeping:
    """Where checkpoints go.

    Args:
        folder: For checkpoints; none keeps none.
        digest: Digest of all that shapes the result; checkpoints of another are passed over.
    """

    folder: Path | None = None
    digest: str = ""


class MetaTraining:
    """One session of a meta-training.

    Args:
        start: The learner and its networks; meta-parameters are those that the learner begins with, with
            what stands in `params` in their place.
        lessons: Episodes to learn from and to select on.
        settings: Numbers of the outer loop.
        keeping: Where checkpoints go.
        show: Told the progress after every step.
    """

    def __init__(
        self,
        start: Start,
        lessons: Lessons,
        settings: MetaSettings,
        keeping: Keeping = Keeping(),
        show: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        self.learner = start.learner
        self.train, self.validation = lessons.train, lessons.validation
        self.settings, self.keeping, self.show = settings, keeping, show
        self.clock = Clock()
        self.body = body_names(start.networks)
        params = begun(start.learner, start.networks) | start.params
        self.state = MetaState(params, self.body, settings)
        self.device = next(iter(self.state.params.values())).device
        self.networks = in_precision(start.networks, settings.precision, self.device.type)
        self.meta_gradient: Callable[..., MetaGradient] = start.learner.meta_gradient
        if settings.compiled:
            self.meta_gradient = torch.compile(start.learner.meta_gradient, dynamic=True)
        self.last_loss: float | None = None
        self.resumed_from = 0

    def run(self) -> MetaResult:
        """Take outer steps to the end, or until meta-validation no longer improves.

        Raises:
            TrainingError: The loss or a gradient is not a number.
        """
        self.resumed_from = self._resume()
        state, settings = self.state, self.settings
        if not state.curve:
            self._evaluate()
        while state.position.step < settings.steps and state.position.misses < settings.patience:
            self._step()
            step = state.position.step
            if step % settings.evaluate_steps == 0 or step == settings.steps:
                self._evaluate()
            if step % settings.checkpoint_steps == 0:
                self._checkpoint()
            self._show()
        return MetaResult(state.best, state, self.resumed_from, self._seconds)

    def _step(self) -> None:
        size, position = self.settings.meta_batch_size, self.state.position
        episodes = self.train.episodes(position.step * size, size)
        progress = position.step / max(1, self.settings.steps)
        total: Params = {}
        loss = torch.zeros((), device=self.device)
        own = own_share(episodes)
        for kind, group in by_kind(own, self.train.readers):
            seen = seen_by(self.state.params, kind, self.body)
            for chosen in np.array_split(group, min(self.settings.parts, len(group))):
                with self.clock.measure("loading"):
                    network, batch = self._read(self.networks[kind], [own[i] for i in chosen])
                with self.clock.measure("forward"):
                    found = self.meta_gradient(network, seen, batch.to(self.device), progress)
                share = len(chosen) / size
                for name, gradient in shared(found.gradients, kind, self.body).items():
                    if name in total:
                        total[name].add_(gradient, alpha=share)
                    else:
                        total[name] = gradient * share
                loss += share * found.loss
        # Other ranks may hold episodes of task types that this one has none of.
        total = {n: total[n] if n in total else torch.zeros_like(w) for n, w in self.state.params.items()}
        add_up(total | {"loss": loss})
        self.last_loss = float(loss)
        self._check(self.last_loss)
        with self.clock.measure("optimizer"):
            self.state.step(total)
        position.loss_sum += self.last_loss
        position.loss_count += 1

    def _read(self, network: Network, episodes: list[Episode]) -> tuple[Network, EpisodeBatch]:
        if self.learner.adapts_body:
            return network, stacked(episodes, self.train.readers)
        return gathered(network, episodes, self.train.readers)

    def _check(self, loss: float) -> None:
        if not np.isfinite(loss):
            raise TrainingError(
                f"The meta-training loss is {loss} at outer step {self.state.position.step}. Lower outer_lr "
                f"(now {self.settings.outer_lr:g}) or inner_lr, or compute in precision: fp32."
            )

    def _evaluate(self) -> None:
        """Score meta-validation and keep the meta-parameters if they are the best so far; a tie is not."""
        state, position = self.state, self.state.position
        with self.clock.measure("validation"):
            count = self.settings.validation_episodes
            episodes = own_share(self.validation.episodes(0, count))
            now = Start(self.learner, self.networks, state.params)
            at_once = max(1, self.settings.meta_batch_size // self.settings.parts)
            scores = score_episodes(now, self.validation, episodes, self._show, at_once)
            total = torch.tensor(scores.sum(), device=self.device)
            add_up({"score": total})
        score = float(total) / count
        position.misses += 1
        if score > position.best_score:
            position.best_score, position.best_step, position.misses = score, position.step, 0
            state.keep_best()
        loss = position.loss_sum / max(1, position.loss_count)
        position.loss_sum, position.loss_count = 0.0, 0
        state.curve.append(
            CurvePoint(
                step=position.step,
                epoch=position.step / max(1, self.settings.steps),
                train_loss=loss,
                validation_score=score,
                seconds=self._seconds,
            )
        )
        _logger.info("Outer step %d: loss %.4f, meta-validation %.4f", position.step, loss, score)

    def _checkpoint(self) -> None:
        if self.keeping.folder is not None and rank() == 0:
            with self.clock.measure("checkpoint"):
                write_checkpoint(
                    self.keeping.folder, self.state.checkpoint(self._seconds), self.keeping.digest
                )

    def _resume(self) -> int:
        keeping = self.keeping
        checkpoint = read_latest(keeping.folder, keeping.digest) if keeping.folder else None
        if checkpoint is not None:
            self.state.resume(checkpoint)
            _logger.info("Meta-training goes on at outer step %d", checkpoint.step)
        return self.state.position.step

    @property
    def _seconds(self) -> float:
        return self.state.position.seconds + self.clock.elapsed

    def _show(self) -> None:
        self.show(
            Progress(
                step=self.state.position.step,
                steps=self.settings.steps,
                loss=self.last_loss,
                curve=tuple(self.state.curve),
                seconds=self._seconds,
                resumed_from=self.resumed_from,
            )
        )
