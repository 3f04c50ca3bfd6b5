"""Find an agent's description by name or path."""

from pathlib import Path

import agents as shipped
from models.errors import ConfigError
from models.schemas import AgentConfig, SourceConfig
from models.schemas.load import load_agent


def shipped_folder() -> Path:
    """Give the folder of the agents that come with the project."""
    return Path(next(iter(shipped.__path__)))


def find_agent(name: str) -> AgentConfig:
    """Load an agent from a YAML path, ./agents, or the shipped agents, in this order.

    Raises:
        ConfigError: There is none, or its file is wrong.
    """
    if name.endswith((".yaml", ".yml")):
        return at_home(load_agent(Path(name)), Path(name).parent)
    folders = (Path("agents"), shipped_folder())
    for folder in folders:
        path = folder / f"{name}.yaml"
        if path.is_file():
            return at_home(load_agent(path), folder)
    known = sorted({p.stem for folder in folders for p in folder.glob("*.yaml")})
    raise ConfigError(
        f"No agent {name!r}: neither agents/{name}.yaml here nor a shipped one. Known: {', '.join(known)}. "
        f"`quickstudy init {name} --data FILE` writes a first one."
    )


def at_home(config: AgentConfig, folder: Path) -> AgentConfig:
    """Resolve relative source addresses against the folder of the agent's file."""
    return config.model_copy(update={"sources": tuple(resolved(s, folder) for s in config.sources)})


def resolved(source: SourceConfig, folder: Path) -> SourceConfig:
    """Make a source's address absolute where it is a relative path of a file system."""
    if (
        "://" in source.address
        or source.address.startswith("${")
        or source.format in {"sql", "huggingface"}
        or Path(source.address).is_absolute()
    ):
        return source
    return source.model_copy(update={"address": str((folder / source.address).resolve())})
