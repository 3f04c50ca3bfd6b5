"""AdamW for a language model: a rate of its own for a head that is yet to learn."""

from torch import nn
from torch.optim import AdamW

from models.pretrain.networks import LanguageModel
from models.schemas.pretrain import PretrainConfig


def build_optimizer(language: LanguageModel, config: PretrainConfig) -> AdamW:
    """Make AdamW (Loshchilov and Hutter, 2019, arXiv:1711.05101); biases and norms are not decayed.

    Each group's `peak` is its rate at the end of the warm-up.
    """
    fresh = set(language.head()) if language.fresh_head else set[str]()
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, weight in language.model.named_parameters():
        rate = config.head_learning_rate if name in fresh else config.learning_rate
        decay = config.weight_decay if weight.ndim > 1 else 0.0
        groups.setdefault((rate, decay), []).append(weight)
    return AdamW(
        [{"params": p, "lr": r, "peak": r, "weight_decay": d} for (r, d), p in groups.items()], fused=True
    )
