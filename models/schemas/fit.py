"""What a task type asks of the rest of an agent's description: labels, model, settings and columns."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from models.schemas.answer_fields import AnswerFields
from models.schemas.families import DEFAULT_ENCODER, EXAMPLES, family_in
from models.schemas.generation_fields import GenerationFields

if TYPE_CHECKING:
    from models.adapters.base import TaskAdapter
    from models.schemas.agent import AgentConfig


def check_fit(config: "AgentConfig") -> None:
    """Compare a description with the adapter that it names.

    Raises:
        ValueError: Something does not fit; the first that is found is told.
    """
    # The adapters stand on these schemas, so they are looked up late.
    from models.adapters import ADAPTERS

    checks: tuple[Callable[[AgentConfig, type[TaskAdapter], str], None], ...] = (
        _labels,
        _scope,
        _model,
        _settings,
        _columns,
    )
    for check in checks:
        check(config, ADAPTERS[config.adapter], config.adapter.replace("_", " "))


def _labels(config: "AgentConfig", adapter: "type[TaskAdapter]", kind: str) -> None:
    least, given = adapter.least_labels, len(config.labels)
    if least is None and given:
        raise ValueError(f"{kind} has no labels; leave out labels")
    if given < (least or 0):
        raise ValueError(f"{kind} needs at least {least} labels, got {given}")


def _scope(config: "AgentConfig", adapter: "type[TaskAdapter]", kind: str) -> None:
    if config.out_of_scope is None:
        return
    if not adapter.knows_scope:
        raise ValueError(f"{kind} knows no out_of_scope; leave it out")
    if config.out_of_scope not in config.labels:
        raise ValueError(
            f"out_of_scope is {config.out_of_scope!r}, which is not among labels; add it there, so that its "
            "rows can be read"
        )
    if len(config.labels) <= (adapter.least_labels or 0):
        raise ValueError(
            f"{kind} needs at least {adapter.least_labels} labels besides out_of_scope, got "
            f"{len(config.labels) - 1}"
        )


def _model(config: "AgentConfig", adapter: "type[TaskAdapter]", kind: str) -> None:
    if adapter.family != "encoder" and config.freeze != "none":
        raise ValueError(f"freeze: {config.freeze} is for encoders; {kind} trains the whole model")
    if config.start is not None and config.encoder == DEFAULT_ENCODER:
        return  # the start's own model takes its place
    family = family_in(config.encoder) or ("encoder" if config.encoder == DEFAULT_ENCODER else None)
    if family not in (None, adapter.family):
        raise ValueError(
            f"{kind} works with {EXAMPLES[adapter.family]}; encoder {config.encoder!r} is of another kind "
            f"({family})"
        )


def _settings(config: "AgentConfig", adapter: "type[TaskAdapter]", kind: str) -> None:
    """Refuse what would have no effect."""
    for group in (GenerationFields, AnswerFields):
        fields = {} if group in adapter.settings else group.model_fields
        idle = [name for name, field in fields.items() if getattr(config, name) != field.default]
        if idle:
            raise ValueError(f"{idle[0]} has no effect on {kind}; leave it out")
    if config.augment and adapter.rewrites is None:
        raise ValueError(f"augment rewrites texts, which would change what is true of a row of {kind}")


def _columns(config: "AgentConfig", adapter: "type[TaskAdapter]", kind: str) -> None:
    names = adapter.columns().names
    strange = [name for source in config.sources for name in source.columns if name not in names]
    if strange:
        raise ValueError(f"a source's columns names {strange[0]!r}; {kind} has {', '.join(names)}")
