"""What the commands do that read or move what is recorded; those that make something are in `commands.py`."""

import json
import os
import sys
from contextlib import suppress
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

from rich.console import Console

from deployments.embedded import isolate
from models.errors import ConfigError
from models.schemas.agent import START_PREFIX
from tasks.io.home import current_home

if TYPE_CHECKING:
    from models.schemas import Move

OUT = Console()


def predict_texts(agent: str, texts: list[str], *, as_json: bool) -> None:
    """Load the champion and print its predictions."""
    isolate(current_home())
    from models.predictor import Predictor
    from tasks.io.console import prediction_table
    from tasks.io.registry import load_champion

    if agent.startswith(START_PREFIX):
        raise ConfigError(
            f"{agent} is a start, from which agents are made: `quickstudy learn NAME --examples FILE`."
        )
    lines = [line.rstrip("\n") for line in sys.stdin] if texts == ["-"] else texts
    predictor = Predictor.load(load_champion(current_home().books(), agent))
    rows = _rows(lines, predictor.adapter.inputs().names)
    predictions = predictor.predict(lines if rows is None else rows)
    if as_json:
        asked = [{"text": line} for line in lines] if rows is None else rows
        for row, answer in zip(asked, predictions.to_pylist(), strict=True):
            sys.stdout.write(json.dumps({**row, **answer}, ensure_ascii=False) + "\n")
    else:
        OUT.print(prediction_table(lines, predictions))


def _rows(lines: list[str], names: list[str]) -> list[dict[str, object]] | None:
    """Read each line as a JSON object where an agent reads more than a text; None where it does not.

    Raises:
        ConfigError: A line is no JSON object.
    """
    if len(names) == 1:
        return None
    rows = []
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict):
            raise ConfigError(
                f"This agent reads {', '.join(names)}, and {line[:60]!r} is no JSON object with them."
            )
        rows.append(row)
    return rows


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
    from tasks.io.standing import stale_agents, stale_sentence

    books = current_home().books()
    reconcile(books)
    OUT.print(status_table({n: (history(engine, n), decisions(engine, n)) for n in names}))
    for one in stale_agents(books):
        OUT.print(stale_sentence(one), highlight=False)


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
