"""Find the description of an agent, or of a start, by name or path."""

import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import yaml
from pydantic import ValidationError

import agents as shipped
from models.errors import ConfigError
from models.schemas import AgentConfig, SourceConfig
from models.schemas.base import Description
from models.schemas.load import agent_from_mapping, load_agent, load_description

if TYPE_CHECKING:
    from models.schemas.pretrain import PretrainConfig
    from models.schemas.start import StartConfig

D = TypeVar("D", bound=Description)

STARTS = "starts"
"""The folder of meta-learned starts, beside the agents."""
PRETRAIN = "pretrain"
"""The folder of starts that are pretrained on plain texts."""
_DOTTED = ("./", "../")
_SQLITE = re.compile(r"(sqlite(?:\+\w+)?:///)(?!/|:memory:|file:|\$\{)(.+)")


def shipped_folder() -> Path:
    """Give the folder of the agents that come with the project."""
    return Path(next(iter(shipped.__path__)))


def find_agent(name: str) -> AgentConfig:
    """Load an agent from a YAML path, ./agents, or the shipped agents, in this order.

    Raises:
        ConfigError: There is none, or its file is wrong.
    """
    path = agent_file(name)
    return at_home(load_agent(path), path.parent)


def agent_file(name: str) -> Path:
    """Find the YAML file of an agent as `find_agent` does.

    Raises:
        ConfigError: There is none.
    """
    if name.endswith((".yaml", ".yml")):
        return Path(name)
    folders = (Path("agents"), shipped_folder())
    for folder in folders:
        path = folder / f"{name}.yaml"
        if path.is_file():
            return path
    known = sorted({p.stem for folder in folders for p in folder.glob("*.yaml")})
    raise ConfigError(
        f"No agent {name!r}: neither agents/{name}.yaml here nor a shipped one. Known: {', '.join(known)}. "
        f"`quickstudy init {name} --data FILE` writes a first one."
    )


def is_described(name: str) -> bool:
    """Tell whether `find_agent` would find a file."""
    if name.endswith((".yaml", ".yml")):
        return True
    return any((folder / f"{name}.yaml").is_file() for folder in (Path("agents"), shipped_folder()))


def drafted(text: str, path: Path) -> AgentConfig:
    """Give the agent of a description that is yet to be written to `path`."""
    return at_home(agent_from_mapping(yaml.safe_load(text), str(path)), path.parent)


def find_start(name: str) -> "StartConfig":
    """Load a start's description from a YAML path, ./agents/starts, or the shipped ones, in this order.

    Raises:
        ConfigError: There is none, or its file is wrong.
    """
    from models.schemas.start import StartConfig

    config, folder = _found(name, STARTS, StartConfig)
    return start_at_home(config, folder)


def find_pretraining(name: str) -> "PretrainConfig":
    """Load a pretrained start's description, likewise from a YAML path or an agents/pretrain folder.

    Raises:
        ConfigError: There is none, or its file is wrong.
    """
    from models.schemas.pretrain import PretrainConfig

    config, folder = _found(name, PRETRAIN, PretrainConfig)
    sources = tuple(resolved(source, folder) for source in config.sources)
    return config.model_copy(update={"sources": sources, "encoder": _encoder(config.encoder, folder)})


def _found(name: str, kind: str, description: type[D]) -> tuple[D, Path]:
    """Load a description by name or path; give it with the folder that its addresses count from."""
    if name.endswith((".yaml", ".yml")):
        return load_description(Path(name), description), Path(name).parent
    folders = tuple(folder / kind for folder in (Path("agents"), shipped_folder()))
    for folder in folders:
        path = folder / f"{name}.yaml"
        if path.is_file():
            return load_description(path, description), folder
    known = sorted({p.stem for folder in folders for p in folder.glob("*.yaml")})
    raise ConfigError(
        f"No start {name!r}: neither agents/{kind}/{name}.yaml here nor a shipped one. Known: "
        f"{', '.join(known)}."
    )


def at_home(config: AgentConfig, folder: Path) -> AgentConfig:
    """Make addresses, and an encoder given as ./folder, count from the folder of the agent's file."""
    sources = tuple(resolved(source, folder) for source in config.sources)
    return config.model_copy(update={"sources": sources, "encoder": _encoder(config.encoder, folder)})


def start_at_home(config: "StartConfig", folder: Path) -> "StartConfig":
    """Make addresses, and an encoder given as ./folder, count from the folder of the start's file."""
    sources = tuple(s.model_copy(update={"source": resolved(s.source, folder)}) for s in config.sources)
    return config.model_copy(update={"sources": sources, "encoder": _encoder(config.encoder, folder)})


def _encoder(name: str, folder: Path) -> str:
    return _absolute(name, folder) if name.startswith(_DOTTED) else name


def resolved(source: SourceConfig, folder: Path) -> SourceConfig:
    """Make a source's address absolute where it is a relative path.

    A Hugging Face data set's is one where it begins with a dot; otherwise it is an id.
    """
    address = source.address
    if source.format == "sql":
        sqlite = _SQLITE.fullmatch(address)
        address = sqlite[1] + _absolute(sqlite[2], folder) if sqlite else address
    elif source.format == "huggingface":
        address = _absolute(address, folder) if address.startswith(_DOTTED) else address
    elif "://" not in address and not address.startswith(("${", "~")):
        address = _absolute(address, folder)
    return source.model_copy(update={"address": address})


def _absolute(path: str, folder: Path) -> str:
    return str((folder / path).resolve())


def window_source(first: SourceConfig, address: str, said: Mapping[str, str]) -> SourceConfig:
    """Describe a new window: rows like those of the agent's first source, at another address.

    A fixed domain is not copied: the new rows may well be of another one.

    Args:
        first: The agent's first source.
        address: Where the new rows are; a relative path counts from the present folder.
        said: Fields that the command line names: `format`, `query`, `domain`.

    Raises:
        ConfigError: A field can not have that value.
    """
    before = first.format or _told(first.address)
    after = said.get("format") or _told(address) or before
    fields = first.model_dump() | {"address": address, "format": after, "domain": None}
    fields |= {} if after == before else {"query": None}
    fields |= {"domain_column": None} if "domain" in said else {}
    try:
        return resolved(SourceConfig.model_validate(fields | dict(said)), Path())
    except ValidationError as error:
        wrong = "; ".join(f"--{detail['loc'][0]}: {detail['msg']}" for detail in error.errors())
        raise ConfigError(f"This can not be a window. {wrong.replace('--address', '--window')}.") from None


def _told(address: str) -> str | None:
    """Tell a format from an address, if that says any."""
    from tasks.io.sources import format_of

    with suppress(ConfigError):
        return format_of(SourceConfig(address=address))
    return None
