from collections.abc import Callable

import numpy as np
import torch
from transformers import PreTrainedModel

from models.adapters.base import IGNORED
from models.episodes import Pool
from models.learners import make_learner
from models.learners.base import Embedded
from models.learners.network import ModuleNetwork
from models.learners.prototypical import Prototypical
from models.meta.batches import Reader, by_kind, stacked
from models.meta.gathered import gathered
from models.meta.networks import build_networks
from models.meta.scoring import Source, embed_pool
from models.ragged import Ragged


def test_targets_are_classes_within_the_episode(
    make_pool: Callable[..., Pool], make_source: Callable[..., Source]
):
    """Support and query count their classes from 0 in the episode's order."""
    source = make_source([make_pool()])
    batch = stacked(source.episodes(0, 2), source.readers)
    assert batch.n_way == 3
    assert batch.support.targets.tolist() == [[0, 0, 1, 1, 2, 2]] * 2
    assert batch.query.inputs[0].shape[:2] == (2, 9)


def test_episodes_of_different_size_are_padded_without_a_class(
    make_pool: Callable[..., Pool], make_source: Callable[..., Source]
):
    """A smaller episode's missing rows have no class."""
    source = make_source([make_pool()], n_way=(2, 4))
    episodes = source.episodes(0, 12)
    batch = stacked(episodes, source.readers)
    assert batch.n_way == 4
    counted = (batch.support.targets != IGNORED).sum(1)
    assert counted.tolist() == [len(e.support.rows) for e in episodes]


def test_sub_words_of_tags_carry_the_classes_of_the_episode(
    tagged_pool: Pool, make_source: Callable[..., Source]
):
    """Types are numbered from 1 in the episode's order; ignored sub-words and padding have no class."""
    source = make_source([tagged_pool], n_way=2, k_shot=2, n_query=2)
    episode = source.episodes(0, 1)[0]
    batch = stacked([episode], source.readers)
    row = int(episode.support.rows[0])
    labels = tagged_pool.labels.padded(np.array([row]), IGNORED)[0]
    order = {0: 0, **{int(c) + 1: i + 1 for i, c in enumerate(episode.classes)}, IGNORED: IGNORED}
    found = batch.support.targets[0][: len(labels)].tolist()
    assert found == [order[int(x)] for x in labels]
    assert batch.n_way == 3


def test_gathered_episodes_have_the_gradient_of_stacked_ones(
    encoder: PreTrainedModel, make_pool: Callable[..., Pool], make_source: Callable[..., Source]
):
    """Computing each row once, in batches of like length, changes no gradient."""
    source = make_source([make_pool(name="a"), make_pool(name="b", seed=1)])
    networks, _ = build_networks(encoder, ["text_classification"], "all", plain_attention=False)
    _check(networks["text_classification"], source)


def test_gathered_tags_have_the_gradient_of_stacked_ones(
    encoder: PreTrainedModel, tagged_pool: Pool, make_source: Callable[..., Source]
):
    """The same holds where every sub-word is an item."""
    source = make_source([tagged_pool], n_way=2, k_shot=2, n_query=2)
    networks, _ = build_networks(encoder, ["token_classification"], "all", plain_attention=False)
    _check(networks["token_classification"], source)


def _check(network: ModuleNetwork, source: Source) -> None:
    episodes, learner = source.episodes(0, 3), Prototypical()
    params = learner.begin(network)
    expected = learner.meta_gradient(network, params, stacked(episodes, source.readers))
    around, batch = gathered(network, episodes, source.readers)
    found = learner.meta_gradient(around, params, batch)
    torch.testing.assert_close(found.loss, expected.loss)
    for name, gradient in expected.gradients.items():
        torch.testing.assert_close(found.gradients[name], gradient, rtol=1e-3, atol=1e-5)


def test_task_types_are_kept_apart(
    make_pool: Callable[..., Pool], tagged_pool: Pool, make_source: Callable[..., Source]
):
    """Episodes of a mixed meta-batch are grouped by their task type."""
    pools = [make_pool(), tagged_pool]
    source = make_source(pools, n_way=2, k_shot=1, n_query=1)
    episodes = source.episodes(0, 20)
    grouped = dict(by_kind(episodes, source.readers))
    assert set(grouped) == {"text_classification", "token_classification"}
    assert all(episodes[place].pool == 0 for place in grouped["text_classification"])


def test_inputs_are_padded_to_the_length_asked_for(make_pool: Callable[..., Pool]):
    """Sub-words beyond a row are the padding one, and the mask says so."""
    pool = make_pool()
    ids, mask, _ = Reader(pool, pad_id=0).inputs(np.array([0, 1]), 12)
    assert ids.shape == mask.shape == (2, 12)
    assert mask.sum(1).tolist() == pool.ids.lengths[:2].tolist()
    assert (ids[mask == 0] == 0).all()


def test_what_the_support_does_not_show_is_not_asked_for(make_source: Callable[..., Source]):
    """Where the support has no word outside of its mentions, such words of the query have no class."""
    lengths = np.full(12, 3)
    labels = np.array([IGNORED, 1, IGNORED] * 6 + [IGNORED, 2, IGNORED] * 5 + [IGNORED, 2, 0])
    pool = Pool(
        name="names",
        domain="names",
        kind="token_classification",
        classes=("a", "b"),
        ids=Ragged.from_lengths(np.arange(2, 38), lengths),
        labels=Ragged.from_lengths(labels, lengths),
        marks=np.zeros((12, 0), np.int64),
        named=np.zeros(12, bool),
    )
    source = make_source([pool], n_way=2, k_shot=1, n_query=2)
    for episode in source.episodes(0, 12):
        batch = stacked([episode], source.readers)
        shown = set(batch.support.targets.unique().tolist()) | {IGNORED}
        assert set(batch.query.targets.unique().tolist()) <= shown


def test_features_that_are_there_already_are_gathered_too(
    encoder: PreTrainedModel, make_pool: Callable[..., Pool], make_source: Callable[..., Source]
):
    """A reader of features has no mask; its episodes have the gradient of those that are stacked."""
    source = make_source([make_pool()])
    networks, _ = build_networks(encoder, ["text_classification"], "none")
    network, learner = networks["text_classification"], make_learner("anil", {})
    whole, _ = build_networks(encoder, ["text_classification"], "all")
    body = whole["text_classification"]
    reader = embed_pool(body, body.parameters, source.readers[0])
    params, episodes = learner.begin(network), source.episodes(0, 3)
    around, batch = gathered(Embedded(network), episodes, [reader])
    found = learner.meta_gradient(around, params, batch)
    expected = learner.meta_gradient(Embedded(network), params, stacked(episodes, [reader]))
    torch.testing.assert_close(found.gradients, expected.gradients)
