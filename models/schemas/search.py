"""What a search may change of an agent: ranges and choices, each held to the bounds of its own field.

How values are drawn and tried is `tasks/io/search/`.
"""

import difflib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import (
    Field,
    TypeAdapter,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from models.schemas.base import Record

if TYPE_CHECKING:
    from models.schemas.agent import AgentConfig

Choice = bool | int | float | str | None
Values = dict[str, Choice]
"""A value for each searched field."""

_SETTLED = frozenset(
    {
        "adapter",
        "compiled",
        "generation_seconds",
        "labels",
        "max_quarantine_share",
        "merge_weights",
        "name",
        "out_of_scope",
        "schema_version",
        "seed",
        "sources",
        "split_by",
        "test_share",
        "validation_share",
    }
)
"""What an agent is, which rows its scores rest on, and how fast it trains: no score tells which is better."""


class SearchRange(Record):
    """The numbers that a search may try for a field.

    Args:
        low: The smallest.
        high: The largest.
        step: Distance between two neighbours, counted from `low`; none allows every number.
        log: Draw evenly by order of magnitude, as is right for rates.
    """

    low: float = Field(allow_inf_nan=False)
    high: float = Field(allow_inf_nan=False)
    step: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    log: bool = False

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"low is {self.low:g} and must be below high, {self.high:g}")
        if self.log and self.low <= 0:
            raise ValueError(f"low is {self.low:g}; with log: true it must be above 0")
        if self.log and self.step is not None:
            raise ValueError("log and step exclude each other; leave one out")
        if self.step is not None and self.step > self.high - self.low:
            raise ValueError(f"step is {self.step:g}, more than from low to high")
        return self


Choices = Annotated[tuple[Choice, ...], Field(min_length=2)]
_CHOICES: TypeAdapter[Choices] = TypeAdapter(Choices)


def _by_shape(value: object, _: ValidatorFunctionWrapHandler) -> SearchRange | Choices:
    """Read a mapping as a range and a list as choices, so that an error is told of the one that was meant."""
    if isinstance(value, Mapping | SearchRange):
        return SearchRange.model_validate(value)
    if isinstance(value, list | tuple):
        return _CHOICES.validate_python(value)
    raise PydanticCustomError("search", "Write {low: ..., high: ...} or a list of choices")


SearchSpace = dict[str, Annotated[SearchRange | Choices, WrapValidator(_by_shape)]]


def searchable(config: type["AgentConfig"]) -> frozenset[str]:
    """Name the fields that a search may change: those that shape the weights."""
    return frozenset(set(config.model_fields) - config.steering - _SETTLED)


def with_values(config: "AgentConfig", values: Mapping[str, Choice]) -> "AgentConfig":
    """Give the agent with other values and nothing to search.

    Raises:
        ValidationError: A value does not fit its field or the rest of the description.
    """
    return type(config).model_validate({**config.model_dump(exclude={"search"}), **values})


def check_search(config: "AgentConfig") -> None:
    """Hold every end and every choice of a search to the rules of a description.

    Raises:
        ValidationError: With all that is wrong, each at its own place.
    """
    wrong = [problem for name in config.search for problem in _problems(config, name)]
    if wrong:
        raise ValidationError.from_exception_data(type(config).__name__, wrong)


def _problems(config: "AgentConfig", name: str) -> Iterator[InitErrorDetails]:
    wanted = config.search[name]
    refusal = _refusal(config, name)
    if refusal:
        yield _problem((name,), _as_written(wanted), refusal)
    elif isinstance(wanted, SearchRange):
        yield from _range_problems(config, name, wanted)
    else:
        if len(set(map(repr, wanted))) < len(wanted):
            yield _problem((name,), wanted, "A choice is listed twice; list each once")
        for place, choice in enumerate(wanted):
            yield from _misfits(config, name, choice, str(place))


def _refusal(config: "AgentConfig", name: str) -> str | None:
    """Say why a field can not be searched; None: it can."""
    known = searchable(type(config))
    if name == "encoder" and config.start is not None:
        return "The start takes the place of encoder; leave start or this search out"
    if name in known:
        return None
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if name in type(config).model_fields:
        said = "A validation score can not tell which value of it is better"
    elif near:
        return f"There is no field {name}. Did you mean {near[0]}"
    else:
        said = f"There is no field {name}"
    return f"{said}. What can be searched: {', '.join(sorted(known))}"


def _range_problems(config: "AgentConfig", name: str, wanted: SearchRange) -> Iterator[InitErrorDetails]:
    ends = {"low": wanted.low, "high": wanted.high}
    misfits = [p for end, value in ends.items() for p in _misfits(config, name, _plain(value), end)]
    yield from misfits
    if misfits:
        return
    found = getattr(with_values(config, {name: wanted.low}), name)
    if isinstance(found, bool) or not isinstance(found, int | float):
        yield _problem((name,), _as_written(wanted), "The field is no number; write a list of choices")
    elif isinstance(found, int) and wanted.step is not None and not wanted.step.is_integer():
        yield _problem((name, "step"), wanted.step, "The field counts in whole numbers, and so must its step")


def _misfits(config: "AgentConfig", name: str, value: Choice, place: str) -> Iterator[InitErrorDetails]:
    """Tell what the description says of one value, all other fields as they are written."""
    try:
        with_values(config, {name: value})
    except ValidationError as error:
        for detail in error.errors():
            yield _problem((name, place), value, detail["msg"].removeprefix("Value error, "))


def _plain(number: float) -> float | int:
    return int(number) if number.is_integer() else number


def _as_written(wanted: SearchRange | Choices) -> object:
    return wanted.model_dump(exclude_defaults=True) if isinstance(wanted, SearchRange) else list(wanted)


def _problem(place: tuple[str, ...], value: Any, said: str) -> InitErrorDetails:  # noqa: ANN401 - any input
    kind = PydanticCustomError("search", "{said}", {"said": said})
    return InitErrorDetails(type=kind, loc=("search", *place), input=value)
