import numpy as np

from benchmarks.transduction import self_trained


def test_queries_move_the_border_to_where_they_are_few():
    """A row of each class puts the border amid the second class; that class's queries pull it back."""
    rng = np.random.default_rng(0)
    truth = np.repeat([0, 1], 60)
    queries = rng.normal(np.where(truth == 0, -2.0, 2.0), 0.4)[:, None] * [1.0, 0.0]
    features, classes = np.array([[-1.0, 0.0], [4.5, 0.0]]), np.array([0, 1])
    scores = -((queries[:, None] - features) ** 2).sum(2)
    before = (scores.argmax(1) == truth).mean()
    after = (self_trained(features, classes, queries, scores).argmax(1) == truth).mean()
    assert before < 0.9
    assert after > before
