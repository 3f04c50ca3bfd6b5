"""What `quickstudy tune` does: run the search, and write the proposed description where the user says."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer
import yaml

from deployments.agents import agent_file, find_agent, shipped_folder
from deployments.commands import ERR, OUT, session
from models.errors import ConfigError
from models.schemas.load import agent_from_mapping
from models.training.files import write_whole

if TYPE_CHECKING:
    from models.schemas.trials import SearchReport


def tune_agent(name: str, budget: Mapping[str, float | None], out: Path | None) -> None:
    """Run flow `tune` for one agent and write what it proposes.

    Args:
        name: The agent's name, or its file.
        budget: Fields of the search that the command line names; None: it does not.
        out: The proposed file; by default beside the agent's.

    Raises:
        ConfigError: There is nothing to search, or the proposal would replace a description that is in use.
        MissingExtraError: optuna is not installed.
    """
    from tasks.io.search.study import check_installed

    check_installed()
    said = {field: value for field, value in budget.items() if value is not None}
    file = agent_file(name)
    config = agent_from_mapping({**find_agent(name).model_dump(), **said}, "the command line")
    place = out or _beside(file)
    if place.resolve() == file.resolve():
        raise ConfigError(f"{place} is the agent's own description, which stays. Name another file by --out.")
    with session():
        from flows.tune import tune

        told = tune(config)
    from tasks.io.console import search_table

    OUT.print(search_table(told))
    if told.proposed:
        _propose(told, file, place)


def _beside(file: Path) -> Path:
    """Name the proposed file: beside the agent's, or in ./agents where that came with the project."""
    folder = Path("agents") if file.parent.resolve() == shipped_folder().resolve() else file.parent
    return folder / f"{file.stem.removesuffix('.tuned')}.tuned.yaml"


def _propose(told: "SearchReport", file: Path, place: Path) -> None:
    """Write the proposed description, over another one only if the user says so."""
    from tasks.io.search.proposal import written

    # Addresses in the user's text count from its folder, so the text itself serves in that folder alone.
    beside = place.parent.resolve() == file.parent.resolve()
    text = written(told, file.read_text(encoding="utf-8") if beside else None)
    if place.exists() and not _says_the_same(place, text) and not _may_replace(place):
        OUT.print(
            f"{place} is there and stays. The proposal is proposed.yaml in MLflow's run tune-"
            f"{told.search.study}; `--out FILE` writes it elsewhere.",
            highlight=False,
        )
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    write_whole(place, text)
    OUT.print(f"Wrote {place}; {file} is as it was. Next: quickstudy train {place}", highlight=False)


def _says_the_same(place: Path, text: str) -> bool:
    """Tell whether a file differs at most in its comments."""
    try:
        return bool(yaml.safe_load(place.read_text(encoding="utf-8")) == yaml.safe_load(text))
    except (yaml.YAMLError, UnicodeDecodeError):
        return False


def _may_replace(place: Path) -> bool:
    return (
        sys.stdin.isatty() and ERR.is_terminal and typer.confirm(f"{place} is there. Replace it?", err=True)
    )
