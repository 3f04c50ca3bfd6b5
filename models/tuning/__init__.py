"""Parameter-efficient fine-tuning: one way a file, and what of it is stored beside which base.

A new one is a file, a line in METHODS, and a name in `models/schemas/tuning_fields.py`.
"""

from collections.abc import Callable

from models.schemas import AgentConfig
from models.tuning.base import TuningMethod
from models.tuning.bitfit import BitFit
from models.tuning.bottleneck import BottleneckAdapters
from models.tuning.ia3 import Ia3
from models.tuning.low_rank import LowRank
from models.tuning.virtual_tokens import Prefix, Prompt

_BOTTLENECK, _RANK, _ALPHA, _TOKENS = 32, 8, 16.0, 20

METHODS: dict[str, Callable[[AgentConfig], TuningMethod]] = {
    "bitfit": lambda _: BitFit(),
    "bottleneck": lambda config: BottleneckAdapters(config.tuning_rank or _BOTTLENECK),
    "lora": lambda config: LowRank(*_low_rank(config)),
    "rslora": lambda config: LowRank(*_low_rank(config), stabilized=True),
    "dora": lambda config: LowRank(*_low_rank(config), decomposed=True),
    "ia3": lambda _: Ia3(),
    "prefix": lambda config: Prefix(config.tuning_tokens or _TOKENS, config.max_length),
    "prompt": lambda config: Prompt(config.tuning_tokens or _TOKENS, config.max_length),
}
"""Makes the method of each name but `full` from an agent's settings."""


def _low_rank(config: AgentConfig) -> tuple[int, float]:
    return config.tuning_rank or _RANK, config.tuning_alpha or _ALPHA


__all__ = ["METHODS", "TuningMethod"]
