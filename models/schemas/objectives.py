"""Which objectives a training can have, and which fields each reads.

What they compute is in `models/objectives/`, which descriptions must not wait for: it needs torch.
"""

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from models.schemas.agent import AgentConfig

ObjectiveName = Literal["plain", "fgm", "pgd", "freelb", "smart", "r_drop", "mixup"]

OBJECTIVE_SETTINGS: dict[ObjectiveName, frozenset[str]] = {
    "plain": frozenset(),
    "fgm": frozenset({"perturbation"}),
    "pgd": frozenset({"perturbation", "ascent_steps"}),
    "freelb": frozenset({"perturbation", "ascent_steps"}),
    "smart": frozenset({"perturbation", "ascent_steps", "consistency"}),
    "r_drop": frozenset({"consistency"}),
    "mixup": frozenset({"mixup_alpha"}),
}

_COMPARES = ("smart", "r_drop")
_MOVES = ("fgm", "pgd", "freelb", "smart")
_HOOKS = (*_MOVES, "mixup")
"""They reach into the model, which one that is compiled does not see."""


def check_objective(config: "AgentConfig") -> None:
    """Refuse what would have no effect, or what the task can not do.

    Raises:
        ValueError: The message says which field, and what to do.
    """
    _check_settings(config)
    _check_adapter(config)
    name = config.objective
    if config.compiled and name in _HOOKS:
        raise ValueError(f"objective: {name} reaches into the model, which compiled: true rules out")
    if name == "r_drop" and config.dropout == 0:
        raise ValueError("objective: r_drop compares dropout masks, and dropout: 0 leaves none")
    if config.start_decay is None:
        return
    if config.freeze == "encoder":
        raise ValueError("start_decay has no effect with freeze: encoder, which keeps the start; drop one")
    if config.start_decay * config.learning_rate > 1:
        raise ValueError(
            f"start_decay * learning_rate is {config.start_decay * config.learning_rate:.3g}; over 1 each "
            f"step would overshoot the start. Set start_decay to {1 / config.learning_rate:.3g} or less"
        )


def _check_settings(config: "AgentConfig") -> None:
    read = OBJECTIVE_SETTINGS[config.objective]
    for field in sorted(frozenset().union(*OBJECTIVE_SETTINGS.values()) - read):
        if getattr(config, field) is not None:
            readers = [name for name, fields in OBJECTIVE_SETTINGS.items() if field in fields]
            raise ValueError(
                f"{field} has no effect with objective: {config.objective}; it belongs to "
                f"{', '.join(readers)}. Choose one of them or drop {field}"
            )


def _check_adapter(config: "AgentConfig") -> None:
    from models.adapters import ADAPTERS

    adapter, name = ADAPTERS[config.adapter], config.objective
    kind = config.adapter.replace("_", " ")
    if name in _MOVES and adapter.family == "seq2seq":
        raise ValueError(
            f"objective: {name} moves embeddings that are read once; {kind} reads and writes by the same "
            "ones. Choose plain"
        )
    if name == "mixup" and not (adapter.pools and adapter.softmax):
        raise ValueError(f"objective: mixup mixes whole texts and their classes, which {kind} does not have")
    if not (name in _COMPARES or config.label_smoothing):
        return
    asked = "label_smoothing" if config.label_smoothing else f"objective: {name}"
    if not adapter.softmax:
        raise ValueError(f"{asked} needs a softmax over the outputs, which {kind} does not have")
    if config.out_of_scope is not None:
        raise ValueError(f"{asked} would move the score of out_of_scope, which has to stay; leave one out")
