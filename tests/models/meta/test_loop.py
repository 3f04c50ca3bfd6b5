"""Meta-training on a small encoder: it learns, selects, and goes on bit for bit where it was cut off."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import PreTrainedModel

from models.episodes import Pool
from models.errors import TrainingError
from models.learners import Learner
from models.learners.anil import ANIL
from models.learners.maml import MAML
from models.learners.meta_sgd import MetaSGD
from models.learners.prototypical import Prototypical
from models.learners.reptile import Reptile
from models.meta.batches import Reader, stacked
from models.meta.kept import keep_states
from models.meta.loop import Keeping, Lessons, MetaResult, MetaTraining, Progress
from models.meta.mixed import InBfloat16
from models.meta.networks import Chosen, build_networks
from models.meta.scoring import Source, Start, score_episodes
from models.meta.settings import MetaSettings
from models.meta.state import MetaState

SETTINGS = MetaSettings(
    meta_batch_size=2,
    steps=6,
    outer_lr=3e-3,
    evaluate_steps=2,
    validation_episodes=4,
    checkpoint_steps=2,
    precision="fp32",
)


@pytest.fixture
def make_training(
    make_encoder: Callable[..., PreTrainedModel],
    make_pool: Callable[..., Pool],
    make_source: Callable[..., Source],
) -> Callable[..., MetaTraining]:
    """Give a function that describes a meta-training on words."""

    def make(
        learner: Learner | None = None,
        settings: MetaSettings = SETTINGS,
        rank: int | None = None,
        **more: object,
    ) -> MetaTraining:
        learner = learner or Prototypical()
        encoder = make_encoder()
        layers = 1 if learner.adapts_body else "all"
        networks, below = build_networks(
            encoder,
            ["text_classification"],
            layers,
            chosen=Chosen(rank=rank),
            plain_attention=learner.adapts_body,
        )
        train = _reading(make_source([make_pool(name="a")]), below)
        validation = _reading(make_source([make_pool(name="b", seed=1)], split="validation"), below)
        return MetaTraining(Start(learner, networks, {}), Lessons(train, validation), settings, **more)

    return make


def _reading(source: Source, below: PreTrainedModel | None) -> Source:
    """Give the source with hidden states kept where a part of the encoder is not learned."""
    if below is None:
        return source
    pools = [reader.pool for reader in source.readers]
    return Source(source.sampler, tuple(Reader(p, 0, keep_states(below, p.ids, 0)) for p in pools))


def test_meta_training_is_better_than_its_start(make_training: Callable[..., MetaTraining]):
    """The best score on meta-validation is above that of the plain encoder."""
    settings = SETTINGS.model_copy(update={"steps": 40, "validation_episodes": 60, "evaluate_steps": 10})
    result = make_training(settings=settings).run()
    assert result.state.position.best_score > result.state.curve[0].validation_score + 0.02


def test_the_best_weights_are_given_and_not_the_last(make_training: Callable[..., MetaTraining]):
    """What comes out has the score of the best evaluation."""
    settings = SETTINGS.model_copy(update={"outer_lr": 10.0, "optimizer": "SGD", "max_grad_norm": 1e9})
    training = make_training(settings=settings)
    result = training.run()
    best = max(result.state.curve, key=lambda point: point.validation_score)
    assert result.state.position.best_step == best.step
    episodes = training.validation.episodes(0, settings.validation_episodes)
    start = Start(training.learner, training.networks, result.params)
    assert score_episodes(start, training.validation, episodes).mean() == pytest.approx(best.validation_score)
    assert any(not torch.equal(w, training.state.params[name]) for name, w in result.params.items())


@pytest.mark.parametrize("rank", [None, 2], ids=["whole", "low rank"])
@pytest.mark.parametrize(
    "learner",
    [
        Prototypical(),
        MAML(inner_steps=1),
        ANIL(inner_steps=2),
        MetaSGD(inner_steps=1),
        Reptile(inner_steps=1),
    ],
    ids=lambda learner: learner.name,
)
def test_a_cut_off_meta_training_ends_with_the_same_weights(
    make_training: Callable[..., MetaTraining], tmp_path: Path, learner: Learner, rank: int | None
):
    """Gone on with at its last checkpoint, it ends bit for bit where one that was never cut off does."""
    make_training = partial(make_training, rank=rank)
    whole = make_training(learner).run()

    def stop(progress: Progress) -> None:
        if progress.step == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_training(learner, keeping=Keeping(tmp_path), show=stop).run()
    resumed = make_training(learner, keeping=Keeping(tmp_path)).run()
    assert resumed.resumed_from == 4
    _same(whole, resumed)


def _same(first: MetaResult, second: MetaResult) -> None:
    assert first.params.keys() == second.params.keys()
    assert all(torch.equal(first.params[name], second.params[name]) for name in first.params)
    scores = [[point.validation_score for point in r.state.curve] for r in (first, second)]
    assert scores[0] == scores[1]


def test_the_same_seed_gives_the_same_weights(make_training: Callable[..., MetaTraining]):
    """Two runs are equal bit for bit."""
    _same(make_training().run(), make_training().run())


def test_another_job_s_checkpoints_are_passed_over(
    make_training: Callable[..., MetaTraining], tmp_path: Path
):
    """A checkpoint with another digest is not gone on with."""
    make_training(keeping=Keeping(tmp_path, "one")).run()
    assert make_training(keeping=Keeping(tmp_path, "two")).run().resumed_from == 0


def test_it_stops_when_validation_no_longer_improves(make_training: Callable[..., MetaTraining]):
    """After `patience` scores without a better one it ends early."""
    settings = SETTINGS.model_copy(
        update={"outer_lr": 1e-12, "patience": 2, "steps": 1000, "checkpoint_steps": 1000}
    )
    assert make_training(settings=settings).run().state.position.step == 4


def test_parts_of_a_meta_batch_add_up_to_the_whole(make_training: Callable[..., MetaTraining]):
    """Running a meta-batch in parts gives the same weights up to rounding."""
    whole = make_training().run()
    parts = make_training(settings=SETTINGS.model_copy(update={"parts": 2})).run()
    for name, weight in whole.params.items():
        torch.testing.assert_close(parts.params[name], weight, rtol=1e-3, atol=1e-4)


def test_a_loss_that_is_no_number_says_what_to_lower(make_training: Callable[..., MetaTraining]):
    """The message names the step and the settings."""
    training = make_training(MAML(inner_lr=1e30, inner_steps=3))
    with pytest.raises(TrainingError, match="meta-training loss is nan at outer step 0"):
        training.run()


def test_kept_states_give_the_same_training_as_running_all_layers(
    make_encoder: Callable[..., PreTrainedModel],
    make_pool: Callable[..., Pool],
    make_source: Callable[..., Source],
):
    """With the top layer learned, the layers below run once and the result is the same up to rounding."""
    pools = {"train": make_pool(name="a"), "validation": make_pool(name="b", seed=1)}
    plain = [make_source([pool], split=split) for split, pool in pools.items()]
    networks, below = build_networks(make_encoder(), ["text_classification"], 1, plain_attention=False)
    kept = [_reading(source, below) for source in plain]
    kept_run = MetaTraining(Start(Prototypical(), networks, {}), Lessons(*kept), SETTINGS).run()
    networks, _ = build_networks(
        make_encoder(),
        ["text_classification"],
        "all",
        chosen=Chosen(weights=["*.layer.2.*"]),
        plain_attention=False,
    )
    whole_run = MetaTraining(Start(Prototypical(), networks, {}), Lessons(*plain), SETTINGS).run()
    for name, weight in kept_run.params.items():
        twin = name.replace("layers.0.", "encoder.encoder.layer.2.")
        torch.testing.assert_close(weight, whole_run.params[twin], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("rank", [None, 2], ids=["whole", "low rank"])
def test_task_types_share_the_encoder_and_have_a_head_each(
    make_encoder: Callable[..., PreTrainedModel],
    make_pool: Callable[..., Pool],
    tagged_pool: Pool,
    make_source: Callable[..., Source],
    rank: int | None,
):
    """Texts, tags and relations move the same weights, or changes of them, and have heads of their own."""
    kinds = ["relation_classification", "text_classification", "token_classification"]
    marked = make_pool(name="r")
    relations = replace(marked, kind=kinds[0], marks=np.tile([0, 1], (len(marked), 1)))
    networks, _ = build_networks(make_encoder(), kinds, "all", chosen=Chosen(rank=rank))
    source = make_source([relations, make_pool(), tagged_pool], n_way=2, k_shot=1, n_query=1)
    learner = ANIL(inner_steps=1, head="shared")
    settings = SETTINGS.model_copy(update={"steps": 2, "meta_batch_size": 9})
    result = MetaTraining(Start(learner, networks, {}), Lessons(source, source), settings).run()
    heads = {f"{kind}|head.weight" for kind in kinds}
    assert {name for name in result.state.params if name.endswith("head.weight")} == heads
    assert all(result.state.params[name].any() for name in heads)
    (body,) = {frozenset(network.parameters) for network in networks.values()}
    assert body <= result.state.params.keys()


def test_bf16_keeps_the_direction_of_a_second_order_gradient(
    make_encoder: Callable[..., PreTrainedModel],
    make_pool: Callable[..., Pool],
    make_source: Callable[..., Source],
):
    """With the body in bf16 and the head in fp32 MAML's gradient points where that of fp32 does."""
    source = make_source([make_pool()])
    networks, below = build_networks(make_encoder(), ["text_classification"], 1)
    network, batch = (
        networks["text_classification"],
        stacked(source.episodes(0, 2), _reading(source, below).readers),
    )
    learner = MAML(inner_lr=0.1, inner_steps=3)
    params = learner.begin(network)
    flat = [
        torch.cat([g.flatten() for g in learner.meta_gradient(one, params, batch).gradients.values()])
        for one in (network, InBfloat16(network, "cpu"))
    ]
    assert torch.nn.functional.cosine_similarity(*flat, dim=0) > 0.98


@pytest.mark.parametrize("optimizer", ["AdamW", "SGD"])
def test_a_gradient_that_lies_otherwise_in_memory_steps_the_same(optimizer: str):
    """Fused optimizers read weight and gradient in the order in which they lie there."""
    settings = SETTINGS.model_copy(update={"optimizer": optimizer})
    transposed = (torch.arange(12.0).reshape(4, 3) - 5).T
    found = []
    for gradient in (transposed, transposed.contiguous()):
        state = MetaState({"w": torch.zeros(3, 4)}, frozenset(), settings)
        state.step({"w": gradient.clone()})
        found.append(state.params["w"])
    assert torch.equal(*found)
