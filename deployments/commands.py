"""What the commands do, once their words are parsed; one function a command."""

import json
import logging
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.logging import RichHandler

from deployments.agents import find_agent, resolved, shipped_folder, window_source
from deployments.embedded import embedded, isolate
from models.errors import ConfigError
from models.schemas import SourceConfig
from tasks.io.home import Home, current_home

if TYPE_CHECKING:
    from models.schemas import Move
    from tasks.io.report.story import Story

OUT = Console()
ERR = Console(stderr=True)


@contextmanager
def _session() -> Iterator[Home]:
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
    with _session():
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
    with _session():
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
    with _session():
        from flows.retrain import retrain

        story = retrain(config, sources, force)
    _show(story)


def _show(story: "Story") -> None:
    from tasks.io.console import summary_table

    OUT.print(summary_table(story))


def predict_texts(agent: str, texts: list[str], *, as_json: bool) -> None:
    """Load the champion and print its predictions."""
    isolate(current_home())
    from models.predictor import Predictor
    from tasks.io.console import prediction_table
    from tasks.io.registry import load_champion

    lines = [line.rstrip("\n") for line in sys.stdin] if texts == ["-"] else texts
    predictions = Predictor.load(load_champion(current_home().books(), agent)).predict(lines)
    if as_json:
        for text, row in zip(lines, predictions.to_pylist(), strict=True):
            sys.stdout.write(json.dumps({"text": text, **row}, ensure_ascii=False) + "\n")
    else:
        OUT.print(prediction_table(lines, predictions))


def show_status() -> None:
    """Print every agent with its champion, which is the one that MLflow's alias names."""
    from tasks.io.console import status_table
    from tasks.io.ledger import agents, decisions, history, open_ledger

    engine = open_ledger(current_home().ledger_url)
    names = agents(engine)
    if not names:
        OUT.print("No agent has been trained yet. `quickstudy run` trains the bundled ones.")
        return
    isolate(current_home())
    from tasks.io.reconcile import reconcile

    reconcile(current_home().books())
    OUT.print(status_table({n: (history(engine, n), decisions(engine, n)) for n in names}))


def show_history(agent: str, on: str | None) -> None:
    """Print the champion's history, or who was champion at a moment."""
    from tasks.io.console import history_table
    from tasks.io.ledger import champion_on, history, open_ledger

    engine = open_ledger(current_home().ledger_url)
    if on is None:
        moves = history(engine, agent)
        if not moves:
            raise ConfigError(
                f"The ledger knows no agent {agent!r}. `quickstudy status` lists those it knows."
            )
        OUT.print(history_table(moves))
        return
    version = champion_on(engine, agent, moment_of(on))
    OUT.print(f"Version {version}" if version else f"Nobody: {agent} had no champion then.")


def moment_of(text: str) -> datetime:
    """Read a date, which means the end of that day (UTC), or a moment, in UTC where no zone is named.

    Raises:
        ConfigError: The text is neither.
    """
    with suppress(ValueError):
        return datetime.combine(date.fromisoformat(text), time.max, UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(
            f"{text!r} is no date; write it like 2026-11-21 or 2026-11-21T09:30:00+00:00."
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def roll_back(agent: str, reason: str) -> None:
    """Restore the previous champion."""
    isolate(current_home())
    from tasks.io.promotion import rollback

    move = rollback(current_home().books(), agent, reason, actor())
    OUT.print(move_sentence(move))


def move_sentence(move: "Move") -> str:
    """Say from which version to which a champion moved."""
    from tasks.io.ledger.moves import version_text

    return f"{move.agent}: {version_text(move.from_version)} -> {version_text(move.to_version)}"


def promote_version(agent: str, version: int, reason: str) -> None:
    """Make a version champion by hand."""
    isolate(current_home())
    from tasks.io.ledger import IntentRequest, champion
    from tasks.io.promotion import promote
    from tasks.io.reconcile import reconcile

    books = current_home().books()
    reconcile(books, agent)
    present = champion(books.ledger, agent)
    if present == version:
        OUT.print(f"{agent}: version {version} is champion already")
        return
    move = promote(books, IntentRequest(agent, version, present, reason, actor(), kind="manual"))
    OUT.print(move_sentence(move))


def collect_garbage(keep_days: float, *, dry_run: bool) -> None:
    """Delete, or list, what nothing needs any more."""
    isolate(current_home())
    from tasks.io.gc import Retention, find_garbage, remove

    home = current_home()
    books = home.books()
    garbage = find_garbage(books, home.root, Retention(keep_days, keep_days, keep_days, keep_days))
    for item in garbage:
        OUT.print(f"{item.size / 1e6:9.1f} MB  {item.kind:12} {item.path}", highlight=False)
    freed = sum(item.size for item in garbage) if dry_run else remove(books, garbage)
    OUT.print(f"{freed / 1e6:.1f} MB {'would go' if dry_run else 'freed'}.", highlight=False)


def actor() -> str:
    """Name the person who runs the command."""
    return os.environ.get("USER") or os.environ.get("USERNAME") or "command line"
