"""What the commands do, once their words are parsed; one function a command."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.logging import RichHandler

from deployments.agents import (
    drafted,
    find_agent,
    find_pretraining,
    find_start,
    is_described,
    resolved,
    shipped_folder,
    window_source,
)
from deployments.embedded import embedded
from models.errors import ConfigError
from models.schemas import SourceConfig
from models.schemas.load import agent_from_mapping
from models.training.files import write_whole
from tasks.io.home import Home, current_home

if TYPE_CHECKING:
    from tasks.io.report.story import Story

OUT = Console()
ERR = Console(stderr=True)


@contextmanager
def session() -> Iterator[Home]:
    """Run the body embedded, with our milestones on the terminal."""
    home = current_home()
    handler = RichHandler(
        console=ERR, show_path=False, show_level=False, markup=False, log_time_format="%H:%M:%S"
    )
    ERR.print(f"State lies in {home.root}. Starting ...", highlight=False)
    with embedded(home) as left_out:
        if left_out:
            ERR.print(f"Left out, this run uses its own settings: {', '.join(left_out)}", highlight=False)
        for name in ("flows", "tasks", "models"):
            logging.getLogger(name).addHandler(handler)
            logging.getLogger(name).setLevel(logging.INFO)
        logging.getLogger("httpx").setLevel(logging.WARNING)
        yield home


def run_loop() -> None:
    """Run flow `loop` on the bundled agents and show what came of it."""
    with session():
        from flows.loop import loop

        folder = shipped_folder()
        window = SourceConfig(address="../data/sentiment/products.parquet", domain_column="domain")
        story = loop(
            agents=(find_agent("sentiment"), find_agent("address")),
            drifting="sentiment",
            window=(resolved(window, folder),),
        )
    _show(story)
    OUT.print("\nNext: `make ui` opens the Prefect and MLflow pages on these records.", highlight=False)


def init_agent(agent: str, data: Path) -> None:
    """Write agents/AGENT.yaml from looking at a file.

    Raises:
        ConfigError: The agent's file is there already.
    """
    from tasks.io.draft import draft_agent

    path = Path("agents") / f"{agent}.yaml"
    if path.exists():
        raise ConfigError(f"{path} is there already; choose another name or remove it first.")
    text = draft_agent(agent, data)
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    OUT.print(f"Wrote {path}. Read it, then: quickstudy train {agent}", highlight=False)


def train_agent(name: str) -> None:
    """Run flow `train` for one agent."""
    config = find_agent(name)
    with session():
        from flows.train import train

        story = train(config)
    _show(story)


def retrain_agent(name: str, window: Sequence[str], said: Mapping[str, str | None], *, force: bool) -> None:
    """Run flow `retrain` for one agent.

    Args:
        name: The agent's name, or its file.
        window: Addresses of the new window.
        said: Fields of these sources that the command line names; None: it does not.
        force: Train a challenger even if nothing drifted.

    Raises:
        ConfigError: Fields are named, and no window.
    """
    config = find_agent(name)
    named = {field: value for field, value in said.items() if value is not None}
    if named and not window:
        raise ConfigError(f"--{next(iter(named))} describes a new window; name its address by --window.")
    sources = tuple(window_source(config.sources[0], address, named) for address in window)
    with session():
        from flows.retrain import retrain

        story = retrain(config, sources, force)
    _show(story)


def meta_train_start(name: str) -> None:
    """Run flow `meta_train` for one start."""
    config = find_start(name)
    with session():
        from flows.meta_train import meta_train

        told = meta_train(config)
    from tasks.io.console import start_table

    OUT.print(start_table(told))


def pretrain_start(name: str) -> None:
    """Run flow `pretrain` for one start."""
    config = find_pretraining(name)
    with session():
        from flows.pretrain import pretrain

        told = pretrain(config)
    from tasks.io.console import pretrained_table

    OUT.print(pretrained_table(told))


def learn_agent(agent: str, examples: Path, start: str | None) -> None:
    """Run flow `learn` on a file of examples; a new agent's description is written once that went well.

    Raises:
        ConfigError: No start is named, and there is none or more than one.
        RegistryError: The start has no champion.
    """
    from tasks.io.draft import draft_agent
    from tasks.io.start_version import start_to_use

    new = not is_described(agent)
    path = Path("agents") / f"{agent}.yaml"
    text = draft_agent(agent, examples) if new else ""
    config = drafted(text, path) if new else find_agent(agent)
    if not new:
        window = window_source(config.sources[0], str(examples), {})
        config = config.model_copy(update={"sources": (window,)})
    with session() as home:
        wanted = start or config.start or _only_start(home)
        start_to_use(home.books(), wanted)
        if wanted != config.start:
            config = agent_from_mapping({**config.model_dump(), "start": wanted, "start_version": None})
        from flows.learn import learn

        story = learn(config)
        if new:
            path.parent.mkdir(exist_ok=True)
            write_whole(path, f"{text}start: {wanted}\n")
    _show(story)
    if new:
        OUT.print(f"Wrote {path}.", highlight=False)


def _only_start(home: Home) -> str:
    """Name the one start that has a champion.

    Raises:
        ConfigError: There is none, or more than one.
    """
    from tasks.io.ledger import agents, champion

    ledger = home.books().ledger
    names = [
        n.removeprefix("start-") for n in agents(ledger) if n.startswith("start-") and champion(ledger, n)
    ]
    if len(names) == 1:
        return names[0]
    if not names:
        raise ConfigError("There is no start yet. `quickstudy meta-train NAME` makes one.")
    raise ConfigError(f"There are several starts ({', '.join(names)}); name one by --start.")


def _show(story: "Story") -> None:
    from tasks.io.console import summary_table

    OUT.print(summary_table(story))
