"""What robustness is measured by: the fields that ask for it, and which tasks can undergo it."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field, field_validator

from models.schemas.base import Description

if TYPE_CHECKING:
    from models.schemas.agent import AgentConfig

PerturbationName = Literal["casing", "entity_swaps", "synonyms", "typos"]


class RobustnessFields(Description):
    """What evaluation measures beside the held-out rows as they are; nothing is trained by it.

    Args:
        robustness: How held-out rows are changed to be scored again: turned case (`casing`), other entities
            of the same type (`entity_swaps`), other words for the same (`synonyms`), slips of the fingers
            (`typos`).
        robustness_share: Share of the words, or entities, that are changed (fraction, 0-1); one a row at
            least.
    """

    robustness: tuple[PerturbationName, ...] = ()
    robustness_share: float = Field(default=0.2, gt=0, le=1)

    @field_validator("robustness")
    @classmethod
    def _perturbations_are_distinct(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(f"{repeated[0]} is listed twice; list each perturbation once")
        return names


def check_robustness(config: "AgentConfig") -> None:
    """Refuse perturbations that the task can not undergo, and limits on what is not measured.

    Raises:
        ValueError: The message says which field, and what to do.
    """
    from models.adapters import ADAPTERS
    from models.perturb import PERTURBATIONS

    adapter, kind = ADAPTERS[config.adapter], config.adapter.replace("_", " ")
    if config.robustness and adapter.perturbed is None:
        raise ValueError(f"robustness changes words, and the truth of {kind} may hang on each; leave it out")
    for name in config.robustness:
        missing = sorted(PERTURBATIONS[name].needs - set(adapter.columns().names))
        if missing:
            raise ValueError(f"robustness: {name} needs {', '.join(missing)}, which {kind} does not have")
    if config.max_robustness_drop is not None and not config.robustness:
        raise ValueError("max_robustness_drop limits nothing; list perturbations in robustness")
    if (config.max_group_gap is None) != (not config.groups):
        there, lacking = ("groups", "max_group_gap") if config.groups else ("max_group_gap", "groups")
        raise ValueError(f"{there} has no effect without {lacking}; set both or neither")
