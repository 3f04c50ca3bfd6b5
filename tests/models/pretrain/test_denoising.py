import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.pretrain.denoising import choose_spans, denoise
from models.ragged import Ragged

SENTINELS, END = np.arange(1000, 1100), 999


def _restored(inputs: np.ndarray, targets: np.ndarray) -> list[int]:
    """Put each span back in the place of its sentinel."""
    spans: dict[int, list[int]] = {}
    for value in targets[:-1].tolist():
        if value >= 1000:
            spans[value] = []
        else:
            spans[list(spans)[-1]].append(value)
    out: list[int] = []
    for value in inputs[:-1].tolist():
        out += spans[value] if value >= 1000 else [value]
    return out


@given(
    lengths=st.lists(st.integers(1, 60), min_size=1, max_size=8),
    share=st.floats(0.05, 0.5),
    mean_span=st.floats(1, 6),
    seed=st.integers(0, 99),
)
def test_inputs_and_targets_hold_the_whole_text(
    lengths: list[int], share: float, mean_span: float, seed: int
):
    """What was dropped stands behind the sentinel that took its place; nothing is lost, both have an end."""
    sizes = np.array(lengths)
    ids = Ragged.from_lengths(np.arange(sizes.sum()), sizes)
    dropped = choose_spans(sizes, share, mean_span, np.random.default_rng(seed))
    made = denoise(ids, dropped, SENTINELS, END)
    for text in range(len(sizes)):
        shown, wanted = (
            part.values[part.offsets[text] : part.offsets[text + 1]] for part in (made.inputs, made.targets)
        )
        assert shown[-1] == wanted[-1] == END
        assert _restored(shown, wanted) == ids.values[ids.offsets[text] : ids.offsets[text + 1]].tolist()
        marks = [value for value in shown.tolist() if value >= 1000]
        assert marks == list(range(1000, 1000 + len(marks)))


def test_share_and_mean_length_are_kept():
    """15 % of each block are dropped, in spans of 3 on average."""
    lengths = np.full(200, 200)
    dropped = choose_spans(lengths, 0.15, 3.0, np.random.default_rng(0))
    ids = Ragged.from_lengths(np.zeros(len(dropped)), lengths)
    spans = (np.diff(dropped.astype(int), prepend=0) == 1).sum()
    assert (np.bincount(ids.owners, dropped) == 30).all()
    assert dropped.sum() / spans == 3.0


def test_every_place_is_dropped_alike():
    """No place of a block but its first, which always is kept, is spared."""
    dropped = choose_spans(np.full(4000, 20), 0.3, 2.0, np.random.default_rng(0)).reshape(4000, 20)
    shares = dropped.mean(axis=0)
    assert shares[0] == 0
    assert shares[1:].min() > 0.1
