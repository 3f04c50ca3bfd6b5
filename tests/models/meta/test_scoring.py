from collections.abc import Callable

import numpy as np
import pytest
from transformers import PreTrainedModel

from models.adapters.base import IGNORED
from models.episodes import Pool
from models.learners import Learner
from models.learners.anil import ANIL
from models.learners.maml import MAML
from models.learners.prototypical import Prototypical
from models.meta.networks import build_networks
from models.meta.scoring import Source, Start, answers, mention_counts, score_episodes, scores_of
from models.meta.shared import begun


def test_accuracy_counts_items_with_a_class():
    """An item without a class is neither right nor wrong."""
    predicted = np.array([[0, 1, 1], [2, 2, 0]])
    targets = np.array([[0, 1, IGNORED], [2, 0, 1]])
    assert answers(predicted, targets).sum(1).tolist() == [[2, 0, 0], [1, 2, 2]]
    assert scores_of(answers(predicted, targets).sum(1)).tolist() == pytest.approx([1.0, 1 / 3])


def test_a_mention_is_right_only_as_a_whole():
    """One of two mentions found whole, and one cut short: precision and recall are a half."""
    targets = np.array([[[1, 1, 0, 2, 2, IGNORED]]])
    predicted = np.array([[[1, 1, 0, 2, 0, 2]]])
    assert mention_counts(predicted, targets).sum(1).tolist() == [[1, 1, 1]]


def test_a_mention_ends_with_its_row():
    """One at the end of a row and one at the beginning of the next are two, and one can be found alone."""
    targets = np.array([[[IGNORED, 0, 1, IGNORED], [IGNORED, 1, 0, IGNORED]]])
    predicted = np.array([[[0, 0, 1, 0], [0, 0, 0, 0]]])
    assert mention_counts(predicted, targets).tolist() == [[[1, 0, 0], [0, 0, 1]]]


def test_no_mention_where_there_is_none_is_perfect():
    """Nothing to find and nothing found is an F1 of 1."""
    assert scores_of(mention_counts(np.array([[[0, 0]]]), np.array([[[0, 0]]]))) == pytest.approx(1.0)


@pytest.mark.parametrize("learner", [Prototypical(), ANIL(inner_steps=2), MAML(inner_steps=1)])
def test_scores_come_in_the_order_of_the_episodes(
    encoder: PreTrainedModel,
    make_pool: Callable[..., Pool],
    tagged_pool: Pool,
    make_source: Callable[..., Source],
    learner: Learner,
):
    """Mixed task types are scored apart, and each score stands at its episode's place."""
    source = make_source([make_pool(), tagged_pool], n_way=2, k_shot=1, n_query=1)
    kinds = ["text_classification", "token_classification"]
    networks, _ = build_networks(encoder, kinds, "all", plain_attention=learner.adapts_body)
    start = Start(learner, networks, begun(learner, networks))
    episodes = source.episodes(0, 12)
    together = score_episodes(start, source, episodes)
    apart = [score_episodes(start, source, [e])[0] for e in episodes]
    assert together.tolist() == pytest.approx(apart)
