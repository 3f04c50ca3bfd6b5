"""The proposed description of an agent, as YAML: the user's own text with other values where it can be."""

import re

import yaml

from models.errors import ConfigError
from models.schemas import AgentConfig
from models.schemas.load import agent_from_mapping
from models.schemas.search import Choice, Values
from models.schemas.trials import SearchReport, Tried
from tasks.io.report.words import metric_name


def written(told: SearchReport, text: str | None = None) -> str:
    """Write the proposed description.

    Args:
        told: What the search came to; it proposes something.
        text: The user's file. Its comments and order stay; addresses in it count from its own folder.

    Raises:
        ConfigError: Nothing is proposed.
    """
    if told.proposed is None or told.winner is None:
        raise ConfigError("The search found nothing better than the description as it stands.")
    edited = None if text is None else _edited(text, told.winner.trial.values)
    return _head(told, told.winner) + (edited or _dumped(told.proposed))


def _head(told: SearchReport, winner: Tried) -> str:
    before = told.as_written
    score = f"{winner.report.score or 0:.4f}"
    if before and before.report.score is not None:
        score += f", with the values as they were {before.report.score:.4f}"
    return (
        f"# Proposed by `quickstudy tune {told.search.agent}`: trial {winner.trial.number} of "
        f"{len(told.trials)}.\n"
        f"# Validation {metric_name(told.metric)} {score}. The best of many is flattered: train\n"
        "# this file, and the gate decides on rows that the search never saw.\n"
    )


def _edited(text: str, values: Values) -> str | None:
    """Set values in the lines of a YAML text; None where that does not come out right."""
    edited = text if text.endswith("\n") else f"{text}\n"
    for name, value in values.items():
        # A comment behind the old value stays; it may well say why that was chosen.
        found = re.search(rf"(?m)^{name}:[^\n#]*?(?P<comment>[ \t]*#.*)?$", edited)
        line = f"{name}: {_scalar(value)}" + ((found["comment"] or "") if found else "")
        edited = edited[: found.start()] + line + edited[found.end() :] if found else f"{edited}{line}\n"
    try:
        before, after = (agent_from_mapping(yaml.safe_load(one)) for one in (text, edited))
    except (ConfigError, yaml.YAMLError, TypeError):
        return None
    return edited if after == before.model_copy(update=_read(before, values)) else None


def _read(config: AgentConfig, values: Values) -> Values:
    read = type(config).model_validate({**config.model_dump(exclude={"search"}), **values})
    return {name: getattr(read, name) for name in values}


def _scalar(value: Choice) -> str:
    return yaml.safe_dump(value, default_flow_style=True).removesuffix("\n...\n").strip()


def _dumped(config: AgentConfig) -> str:
    own = config.model_dump(mode="json", exclude_defaults=True)
    own = {"schema_version": 1, **own, "search": _plain_search(config)}
    return yaml.safe_dump(own, sort_keys=False, allow_unicode=True, width=100)


def _plain_search(config: AgentConfig) -> dict[str, object]:
    dumped: dict[str, object] = config.model_dump(mode="json", include={"search"}, exclude_defaults=True)[
        "search"
    ]
    return dumped
