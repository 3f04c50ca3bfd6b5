"""Meta-trainings on splits of a data set, and their scores by episode; what is done is kept."""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from benchmarks.transduction import transductive
from models.encoder import load_encoder_model
from models.episodes import Episode, EpisodeSampler, EpisodeShape, Kind, Pool, Split
from models.kernels import Precision, in_bfloat16
from models.learners import LEARNERS, Learner
from models.learners.base import Embedded
from models.meta.batches import stacked
from models.meta.lessons import States
from models.meta.loop import Keeping, Lessons, MetaTraining, Progress
from models.meta.mixed import attends_plainly
from models.meta.networks import MetaLayers, Networks, build_networks
from models.meta.scoring import EmbeddedReader, Source, Start, answers, embed_pool, score_episodes, scores_of
from models.meta.settings import MetaSettings
from models.pretrained import DEFAULT_ENCODER

Pools = dict[Split, Pool]
_AT_ONCE = 50


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
        names: Whether classes' names are in the support of the training episodes.
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

    @property
    def precision(self) -> Precision:
        """Give what the settings say of it, or what they leave it at."""
        return MetaSettings.model_validate(self.settings).precision

    def made(self) -> Learner:
        """Make the learner."""
        return LEARNERS[self.learner](**self.own)


@dataclass(frozen=True)
class Run:
    """A recipe on one split of a data set with one seed."""

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
    """What a learner is scored on: so many episodes of 5 classes of a split.

    Args:
        on: The split.
        k_shot: Examples a class to adapt on.
        n_query: Queries a class.
        episodes: How many episodes.
        names: Whether each class's name is one more example.
        transductive: Whether the queries of an episode are seen together.
        head: Learner that adapts, in the place of the one that was meta-trained, on the same features.
    """

    on: Split
    k_shot: int
    n_query: int
    episodes: int
    names: bool = False
    transductive: bool = False
    head: str | None = None

    @property
    def shape(self) -> EpisodeShape:
        """Give the shape of its episodes."""
        return EpisodeShape(n_way=5, k_shot=self.k_shot, n_query=self.n_query, names=self.names)

    @property
    def name(self) -> str:
        """Give a name that no other exam has."""
        flags = "-names" * self.names + "-transductive" * self.transductive
        flags += f"-{self.head}" if self.head else ""
        return f"{self.on}-{self.k_shot}-{self.n_query}-{self.episodes}{flags}"


class FewShot:
    """Runs and their scores, kept in a folder.

    Args:
        folder: What is done is kept here.
        pools: Gives the pools of a data set's split.
    """

    def __init__(self, folder: Path, pools: Callable[[str, str], Pools]) -> None:
        self.folder, self.pools = folder, pools
        folder.mkdir(parents=True, exist_ok=True)

    def scores(self, run: Run, exam: Exam) -> np.ndarray:
        """Give the accuracy of each episode, (episodes,)."""
        kept = self.folder / f"{run.name}-{exam.name}.npy"
        if kept.exists():
            found: np.ndarray = np.load(kept, allow_pickle=False)
            return found
        learner = run.recipe.made()
        if learner.adapts_body:
            networks, source = self._parts(run, exam.on, exam.shape, 0)
            start = Start(learner, networks, self.trained(run))
            found = score_episodes(start, source, source.episodes(0, exam.episodes), at_once=4)
        else:
            found = self._from_features(run, exam)
        np.save(kept, found)
        return found

    def trained(self, run: Run) -> dict[str, torch.Tensor]:
        """Give the best meta-parameters of a run."""
        kept = self.folder / f"{run.name}.safetensors"
        if kept.exists():
            return load_file(kept)
        recipe, learner = run.recipe, run.recipe.made()
        shape = EpisodeShape(
            n_way=recipe.train_way, k_shot=recipe.train_shot, n_query=recipe.train_query, names=recipe.names
        )
        selected_on = EpisodeShape(n_way=5, k_shot=1, n_query=5, names=recipe.names)
        networks, train = self._parts(run, "train", shape, run.seed, training=True)
        _, validation = self._parts(run, "validation", selected_on, 0, training=True)
        settings = MetaSettings.model_validate({**recipe.settings, "seed": run.seed})
        began = time.monotonic()
        keeping = Keeping(self.folder / f"{run.name}-checkpoints", run.name)
        start = Start(learner, networks, {})
        result = MetaTraining(start, Lessons(train, validation), settings, keeping, _show).run()
        curve = [(p.step, round(p.validation_score, 4)) for p in result.state.curve]
        print(f"{run.name}: {time.monotonic() - began:.0f} s, {curve}", flush=True)
        save_file(result.params, kept)
        return result.params

    def features(self, run: Run, on: Split) -> EmbeddedReader:
        """Give the features of all rows of a split's pool, as the run's learner sees them."""
        pool = self.pools(run.data, run.split)[on]
        kept = self.folder / f"{run.name}-{on}.npz"
        if not kept.exists():
            params = self.trained(run)
            networks, source = self._parts(run, on, None, 0)
            start = Start(run.recipe.made(), networks, params)
            found = embed_pool(networks[pool.kind], start.seen(pool.kind), source.readers[0])
            np.savez(kept, features=found.features.numpy(), begins=found.begins)
        arrays = np.load(kept, allow_pickle=False)
        return EmbeddedReader(pool, torch.from_numpy(arrays["features"]), arrays["begins"])

    def episodes(self, run: Run, exam: Exam) -> list[Episode]:
        """Draw the exam's episodes: the same for every run on a split."""
        pool = self.pools(run.data, run.split)[exam.on]
        sampler = EpisodeSampler([pool], exam.shape, seed=0, split=exam.on)
        return [sampler.episode(i) for i in range(exam.episodes)]

    def _from_features(self, run: Run, exam: Exam) -> np.ndarray:
        learner, reader = run.recipe.made(), self.features(run, exam.on)
        networks, _ = self._parts(run, exam.on, None, 0)
        network = Embedded(networks[reader.pool.kind])
        seen = Start(learner, networks, self.trained(run)).seen(reader.pool.kind)
        if exam.head:
            learner = LEARNERS[exam.head]()
            own = {n: w for n, w in learner.begin(network).items() if n not in network.parameters}
            seen = network.weights(seen) | own
        episodes = self.episodes(run, exam)
        counts = []
        for first in range(0, exam.episodes, _AT_ONCE):
            batch = stacked(episodes[first : first + _AT_ONCE], [reader])
            if exam.transductive:
                predicted = transductive(seen, batch)
            else:
                predicted = learner.predict(network, seen, batch)
            counts.append(answers(predicted.argmax(-1).numpy(), batch.query.targets.numpy()).sum(1))
        return scores_of(np.concatenate(counts))

    def _parts(
        self, run: Run, split: Split, shape: EpisodeShape | None, seed: int, *, training: bool = False
    ) -> tuple[Networks, Source]:
        """Build the networks of a run, and its source of episodes of a split; scores are of fp32."""
        encoder = load_encoder_model(DEFAULT_ENCODER)
        learner, pool = run.recipe.made(), self.pools(run.data, run.split)[split]
        plain = attends_plainly(learner, run.recipe.precision, "cpu")
        kinds: list[Kind] = [pool.kind]
        networks, below = build_networks(encoder, kinds, run.recipe.layers, plain_attention=plain)
        sampler = EpisodeSampler([pool], shape or EpisodeShape(), seed=seed, split=split)
        states = States(0, below, bfloat16=training and in_bfloat16(run.recipe.precision, "cpu"))
        return networks, Source(sampler, (states.reader(pool),))


def _show(progress: Progress) -> None:
    if progress.step and progress.step % 20 == 0:
        print(f"  {progress.step}/{progress.steps} {progress.loss:.4f} {progress.seconds:.0f} s", flush=True)
