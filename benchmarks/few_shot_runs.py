"""One meta-training on a class split, and its scores by episode; each is kept, and read if it is there."""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from safetensors.torch import load_file, save_file

from benchmarks.intents import class_split
from models.encoder import load_encoder_model
from models.episodes import EpisodeSampler, EpisodeShape, Split
from models.learners import LEARNERS, Learner
from models.meta.batches import Reader
from models.meta.kept import keep_states
from models.meta.loop import Keeping, Lessons, MetaTraining, Progress
from models.meta.networks import MetaLayers, Networks, build_networks
from models.meta.scoring import Source, Start, score_episodes
from models.meta.settings import MetaSettings
from models.pretrained import DEFAULT_ENCODER

KIND = "text_classification"


@dataclass(frozen=True)
class Recipe:
    """What one meta-training is.

    Args:
        learner: Name of the learner.
        own: Its settings.
        layers: Layers that are learned.
        train_way: Classes of a training episode.
        train_shot: Shots of a training episode.
        train_query: Queries a class of a training episode.
        names: Whether classes' names are in the support, in training and after.
        settings: Numbers of the outer loop, other than its seed.
    """

    learner: str = "prototypical"
    own: dict[str, float | int | str | bool] = field(default_factory=dict)
    layers: MetaLayers = "all"
    train_way: int = 15
    train_shot: int = 1
    train_query: int = 5
    names: bool = False
    settings: dict[str, float | int | str] = field(default_factory=dict)

    def made(self) -> Learner:
        """Make the learner."""
        return LEARNERS[self.learner](**self.own)


@dataclass(frozen=True)
class Run:
    """A recipe on one class split with one seed."""

    recipe: Recipe
    data: str
    split: str
    seed: int

    @property
    def name(self) -> str:
        """Give a name that no other run has."""
        text = json.dumps(asdict(self), sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:10]
        return f"{self.data}-{self.split}-{self.recipe.learner}-{self.seed}-{digest}"


@dataclass(frozen=True)
class Exam:
    """What a learner is scored on: so many episodes of 5 classes of a split."""

    on: Split
    k_shot: int
    n_query: int
    episodes: int

    @property
    def name(self) -> str:
        """Give a name that no other exam has."""
        return f"{self.on}-{self.k_shot}-{self.n_query}-{self.episodes}"


def scores(run: Run, exam: Exam, folder: Path) -> np.ndarray:
    """Give the accuracy of each episode, (episodes,); the training and the scores are kept in `folder`."""
    kept = folder / f"{run.name}-{exam.name}.npy"
    if kept.exists():
        return np.load(kept, allow_pickle=False)
    learner = run.recipe.made()
    params = trained(run, folder)
    networks, sources = parts(run)
    shape = EpisodeShape(n_way=5, k_shot=exam.k_shot, n_query=exam.n_query, names=run.recipe.names)
    source = sources(exam.on, shape, 0)
    found = score_episodes(Start(learner, networks, params), source, source.episodes(0, exam.episodes))
    np.save(kept, found)
    return found


def trained(run: Run, folder: Path) -> dict:
    """Give the best meta-parameters of a run."""
    kept = folder / f"{run.name}.safetensors"
    if kept.exists():
        return load_file(kept)
    learner = run.recipe.made()
    networks, sources = parts(run)
    recipe = run.recipe
    shape = EpisodeShape(
        n_way=recipe.train_way, k_shot=recipe.train_shot, n_query=recipe.train_query, names=recipe.names
    )
    selected_on = EpisodeShape(n_way=5, k_shot=1, n_query=5, names=recipe.names)
    settings = MetaSettings.model_validate({**recipe.settings, "seed": run.seed})
    began = time.monotonic()
    lessons = Lessons(sources("train", shape, run.seed), sources("validation", selected_on, 0))
    keeping = Keeping(folder / f"{run.name}-checkpoints", run.name)
    result = MetaTraining(Start(learner, networks, {}), lessons, settings, keeping, _show).run()
    curve = [(p.step, round(p.validation_score, 4)) for p in result.state.curve]
    print(f"{run.name}: {time.monotonic() - began:.0f} s, {curve}", flush=True)
    save_file(result.params, kept)
    return result.params


def parts(run: Run) -> tuple[Networks, Callable[[Split, EpisodeShape, int], Source]]:
    """Build the networks of a run, and what makes its sources of episodes."""
    encoder = load_encoder_model(DEFAULT_ENCODER)
    networks, below = build_networks(encoder, [KIND], run.recipe.layers)
    pools = class_split(run.data, run.split)

    def source(split: Split, shape: EpisodeShape, seed: int) -> Source:
        pool = pools[split]
        kept = keep_states(below, pool.ids, 0) if below is not None else None
        return Source(EpisodeSampler([pool], shape, seed=seed, split=split), (Reader(pool, 0, kept),))

    return networks, source


def _show(progress: Progress) -> None:
    if progress.step and progress.step % 20 == 0:
        print(f"  {progress.step}/{progress.steps} {progress.loss:.4f} {progress.seconds:.0f} s", flush=True)
