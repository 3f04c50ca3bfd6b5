from torch import nn

from models.training.dropout import set_dropout


class _Attention(nn.Module):
    """Keeps its share as a number, as some architectures do."""

    def __init__(self) -> None:
        super().__init__()
        self.attention_dropout = 0.1
        self.scaling = 0.5
        self.inner = nn.Dropout(0.1)


def test_layers_and_numbers_are_set():
    """The share reaches dropout layers and the numbers beside them, and nothing else."""
    network = nn.Sequential(nn.Dropout(0.5), _Attention())
    set_dropout(network, 0.3)
    attention = network[1]
    assert isinstance(attention, _Attention)
    assert (network[0].p, attention.attention_dropout, attention.inner.p) == (0.3, 0.3, 0.3)
    assert attention.scaling == 0.5
