"""Read descriptions from YAML; every error of a file is told at once, with file, line, key, value and limit.

The same words are used for a mapping from a form or a call: see `agent_from_mapping`.
"""

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from models.errors import ConfigError
from models.schemas.agent import AgentConfig
from models.schemas.base import Description
from models.schemas.source import hide_passwords

_Lines = dict[str, int]
_SHOWN = 80


D = TypeVar("D", bound=Description)


def load_agent(path: str | Path) -> AgentConfig:
    """Read one agent's YAML; see `load_description`."""
    return load_description(path, AgentConfig)


def load_description(path: str | Path, kind: type[D]) -> D:
    """Read one YAML file, of an agent or of a start.

    Args:
        path: The file, UTF-8.
        kind: What it describes.

    Raises:
        ConfigError: The file can't be read or is no valid description; the message lists every error.
    """
    path = Path(path)
    node, lines, problems = _parse(_read(path), path, kind)
    try:
        values = yaml.SafeLoader("").construct_document(node)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path} holds a value that YAML can't read: {_first_line(error)}") from error
    try:
        config = kind.model_validate(values)
    except ValidationError as error:
        problems += _explain_all(error, lines, kind)
    if problems:
        raise ConfigError(_report(str(path), problems))
    return config


def load_agents(folder: str | Path) -> dict[str, AgentConfig]:
    """Read every `*.yaml` and `*.yml` of a folder, by the agents' names.

    Raises:
        ConfigError: The folder holds none, a file is wrong (all files are told), or two share a name.
    """
    folder = Path(folder)
    paths = sorted(p for pattern in ("*.yaml", "*.yml") for p in folder.glob(pattern))
    if not paths:
        raise ConfigError(f"{folder} holds no agent (*.yaml). Write one with `quickstudy init`.")
    agents: dict[str, AgentConfig] = {}
    origin: dict[str, Path] = {}
    problems: list[str] = []
    for path in paths:
        try:
            agent = load_agent(path)
        except ConfigError as error:
            problems.append(str(error))
            continue
        if agent.name in agents:
            problems.append(f"{path} and {origin[agent.name]} both describe {agent.name!r}: rename one.")
        agents[agent.name], origin[agent.name] = agent, path
    if problems:
        raise ConfigError("\n".join(problems))
    return agents


def agent_from_mapping(values: Mapping[str, object], origin: str = "the given values") -> AgentConfig:
    """Build an agent from a form's or a call's values, with the same errors as a file.

    Raises:
        ConfigError: A value is wrong; the message lists every error.
    """
    try:
        return AgentConfig.model_validate(dict(values))
    except ValidationError as error:
        raise ConfigError(_report(origin, _explain_all(error, {}, AgentConfig))) from error


def _read(path: Path) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        near = difflib.get_close_matches(path.name, [p.name for p in path.parent.glob("*.y*ml")], n=1)
        hint = f" Did you mean {path.parent / near[0]}?" if near else ""
        raise ConfigError(f"There is no file {path}.{hint}") from error
    except OSError as error:
        raise ConfigError(f"{path} can't be read: {error.strerror}.") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found = content[error.start : error.start + 1].hex()
        raise ConfigError(
            f"{path}, line {line}: byte 0x{found} is not UTF-8. Save the file as UTF-8."
        ) from error


def _parse(text: str, path: Path, kind: type[Description]) -> tuple[yaml.Node, _Lines, list[str]]:
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigError(f"{path}{where} is not valid YAML: {_first_line(error)}") from error
    if node is None:
        *most, last = (name for name, field in kind.model_fields.items() if field.is_required())
        raise ConfigError(f"{path} is empty. It needs at least {', '.join(most)} and {last}.")
    if not isinstance(node, yaml.MappingNode):
        found = "a list" if isinstance(node, yaml.SequenceNode) else "a single value"
        raise ConfigError(f"{path} holds {found}; a description is a mapping of `key: value` lines.")
    lines: _Lines = {}
    problems: list[str] = []
    for key, line in _keys(node, "", frozenset()):
        if key in lines:
            problems.append(f"line {line}: {key} stands in line {lines[key]} already. Keep one of the two.")
        lines[key] = line
    return node, lines, problems


def _keys(node: yaml.Node, prefix: str, above: frozenset[int]) -> Iterator[tuple[str, int]]:
    """Yield every dotted key of a tree with its line, counting from 1."""
    if id(node) in above:
        raise ConfigError(
            f"line {node.start_mark.line + 1}: an alias stands within its own anchor. Remove it."
        )
    above = above | {id(node)}
    if isinstance(node, yaml.MappingNode):
        children = [(str(key.value), key, value) for key, value in node.value]
    elif isinstance(node, yaml.SequenceNode):
        children = [(str(i), item, item) for i, item in enumerate(node.value)]
    else:
        return
    for name, marked, child in children:
        yield prefix + name, marked.start_mark.line + 1
        yield from _keys(child, f"{prefix}{name}.", above)


def _explain_all(error: ValidationError, lines: _Lines, kind: type[Description]) -> list[str]:
    details = error.errors()
    # pydantic counts the wrong items of a tuple as absent and calls it too short as well.
    parents = {d["loc"][:n] for d in details for n in range(1, len(d["loc"]))}
    details = [d for d in details if not (d["type"] == "too_short" and d["loc"] in parents)]
    return [_explain(d, lines, kind) for d in sorted(details, key=lambda d: _line(d, lines) or 0)]


def _line(detail: ErrorDetails, lines: _Lines) -> int | None:
    """Find the line of a key; a missing key has none of its own, so its parent's tells where to add it."""
    loc = [str(part) for part in detail["loc"]]
    return next((lines[k] for n in range(len(loc), 0, -1) if (k := ".".join(loc[:n])) in lines), None)


def _explain(detail: ErrorDetails, lines: _Lines, kind: type[Description]) -> str:
    loc = [str(part) for part in detail["loc"]]
    key = ".".join(loc)
    line = _line(detail, lines)
    where = f"line {line}: " if line else ""
    if detail["type"] == "extra_forbidden":
        return f"{where}{key} is not a known key.{_nearest(loc, kind)}"
    if detail["type"] == "missing":
        return f"{where}{key} is missing. Add it."
    message = detail["msg"].removeprefix("Value error, ")
    if not loc:
        return message
    return f"{where}{key} is {_short(detail['input'])}: {_lower_first(message)}.{_yaml_hint(detail)}"


def _nearest(loc: list[str], kind: type[Description]) -> str:
    known = kind.keys_at(loc)
    near = difflib.get_close_matches(loc[-1], list(known), n=1, cutoff=0.5)
    return f" Did you mean {near[0]}?" if near else f" Known keys: {', '.join(known)}."


def _yaml_hint(detail: ErrorDetails) -> str:
    if detail["type"] != "string_type":
        return ""
    if isinstance(detail["input"], bool):
        return " YAML reads yes, no, on and off as true and false: put the word in quotes."
    return " Put it in quotes." if isinstance(detail["input"], int | float) else ""


def _short(value: object) -> str:
    text = hide_passwords(repr(value))
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def _first_line(error: BaseException) -> str:
    return str(getattr(error, "problem", None) or error).splitlines()[0]


def _report(origin: str, problems: list[str]) -> str:
    count = "1 error" if len(problems) == 1 else f"{len(problems)} errors"
    return "\n".join([f"{origin} has {count}:", *(f"  {p}" for p in problems)])
