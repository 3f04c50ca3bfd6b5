"""Keep docs/fields.md, every field of the YAML files: `python -m deployments.fields` writes it."""

import inspect
import json
from pathlib import Path
from typing import Any

from griffe import Docstring, DocstringSectionParameters

from models.schemas import AgentConfig, SourceConfig
from models.schemas.base import Record
from models.schemas.pretrain import PretrainConfig
from models.schemas.search import SearchRange
from models.schemas.start import EpisodeSource, StartConfig

PAGE = Path(__file__).parents[1] / "docs" / "fields.md"
_HEAD = """\
# Every field of an agent's and of a start's YAML

Made by `make docs` from the descriptions that the YAML, the run forms and the calls share. A key that is
not listed here is refused, and all errors of a file are shown at once.
"""
_LIMITS = {
    "minimum": "from {}",
    "exclusiveMinimum": "above {}",
    "maximum": "to {}",
    "exclusiveMaximum": "below {}",
    "pattern": "`{}`",
    "minItems": "at least {}",
}


def page() -> str:
    """Write the page: a table for each kind of description, and for what their sources hold."""
    tables: dict[str, type[Record]] = {
        "An agent": AgentConfig,
        "Each of an agent's `sources`, and `source` of a start's": SourceConfig,
        "Each range of an agent's `search`": SearchRange,
        "A start": StartConfig,
        "Each of a start's `sources`": EpisodeSource,
        "A start that is pretrained on plain texts": PretrainConfig,
    }
    written = ("\n".join(_table(title, record)) for title, record in tables.items())
    return _HEAD + "\n" + "\n\n".join(written) + "\n"


def _table(title: str, record: type[Record]) -> list[str]:
    schema = record.model_json_schema()["properties"]
    told = _explanations(record)
    lines = [f"## {title}", "", "| field | default | allowed | what it is |", "|---|---|---|---|"]
    for name, field in record.model_fields.items():
        default = "needed" if field.is_required() else _plain(field.get_default(call_default_factory=True))
        cells = [f"`{name}`", default, _allowed(schema[name]), told[name]]
        lines.append("| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |")
    return lines


def _explanations(record: type[Record]) -> dict[str, str]:
    """Read what the docstrings of a record and of its bases say of each field."""
    return {
        argument.name: " ".join(argument.description.split())
        for one in record.__mro__
        if issubclass(one, Record)
        for section in Docstring(inspect.cleandoc(one.__doc__ or "")).parse("google", warnings=False)
        if isinstance(section, DocstringSectionParameters)
        for argument in section.value
    }


def _plain(value: Any) -> str:  # noqa: ANN401 - any field's default
    return "none" if value in (None, "", (), {}) else f"`{json.dumps(value)}`"


def _allowed(schema: dict[str, Any]) -> str:
    """Tell a field's limits, its own and those of the type it may have beside null."""
    schema = schema | next((one for one in schema.get("anyOf", ()) if one != {"type": "null"}), {})
    if "const" in schema:
        return _plain(schema["const"])
    if "enum" in schema:
        return ", ".join(map(_plain, schema["enum"]))
    return " ".join(text.format(schema[key]) for key, text in _LIMITS.items() if key in schema)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
