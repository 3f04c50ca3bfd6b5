"""From the ranges in a description to optuna's distributions, and from a trial's draws to values."""

import math

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import Trial as Draw

from models.schemas import AgentConfig
from models.schemas.search import Choice, SearchRange, Values, with_values

Space = dict[str, BaseDistribution]


def space_of(config: AgentConfig) -> Space:
    """Give the distribution of each searched field, in the order of the file."""
    return {name: _distribution(config, name) for name in config.search}


def draw(trial: Draw, space: Space) -> Values:
    """Draw a value for each field; what a killed process had drawn for this trial stays."""
    return {name: _drawn(trial, name, kind) for name, kind in space.items()}


def present_values(config: AgentConfig) -> Values:
    """Give the searched fields as they are written."""
    return {name: getattr(config, name) for name in config.search}


def can_draw(space: Space, values: Values) -> bool:
    """Say whether the ranges hold these values, so that they can be a trial."""
    return all(_holds(kind, values[name]) for name, kind in space.items())


def _distribution(config: AgentConfig, name: str) -> BaseDistribution:
    wanted = config.search[name]
    if not isinstance(wanted, SearchRange):
        # A field may read what is written in its own way: 1e-4 is text in YAML.
        return CategoricalDistribution(tuple(_read(config, name, choice) for choice in wanted))
    low, high, step = wanted.low, wanted.high, wanted.step
    if step is not None:
        # The last number that the steps reach: optuna would warn and do the same.
        high = low + math.floor((high - low) / step + 1e-9) * step
    if isinstance(_read(config, name, low), int):
        return IntDistribution(int(low), int(high), log=wanted.log, step=int(step or 1))
    return FloatDistribution(low, high, log=wanted.log, step=step)


def _read(config: AgentConfig, name: str, value: Choice) -> Choice:
    read: Choice = getattr(with_values(config, {name: value}), name)
    return read


def _drawn(trial: Draw, name: str, kind: BaseDistribution) -> Choice:
    if isinstance(kind, IntDistribution):
        return trial.suggest_int(name, kind.low, kind.high, step=kind.step, log=kind.log)
    if isinstance(kind, FloatDistribution):
        return trial.suggest_float(name, kind.low, kind.high, step=kind.step, log=kind.log)
    if isinstance(kind, CategoricalDistribution):
        return trial.suggest_categorical(name, kind.choices)
    raise TypeError(f"{name} has a {type(kind).__name__}, which no range makes.")


def _holds(kind: BaseDistribution, value: Choice) -> bool:
    if isinstance(kind, CategoricalDistribution):
        return any(type(value) is type(choice) and value == choice for choice in kind.choices)
    if not isinstance(kind, IntDistribution | FloatDistribution) or not isinstance(value, int | float):
        return False
    if not kind.low <= value <= kind.high:
        return False
    steps = (value - kind.low) / kind.step if kind.step else 0.0
    return math.isclose(steps, round(steps), abs_tol=1e-8)
