"""The `quickstudy` command: thin words over the same flows and tasks that Prefect runs.

Heavy imports happen inside the commands, so that `--help` answers at once.
"""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="quickstudy",
    help="Keep a family of small AI agents good at their jobs: train, gate, promote, retrain on drift.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)

Agent = Annotated[str, typer.Argument(help="Name of an agent in ./agents, or path of its YAML file.")]
Reason = Annotated[str, typer.Option(help="Why, for the ledger.")]


@app.command()
def run() -> None:
    """Run the whole loop on the bundled data: train two agents, drift, retrain, report."""
    from deployments.commands import run_loop

    run_loop()


@app.command()
def init(
    agent: Annotated[str, typer.Argument(help="Name of the new agent.")],
    data: Annotated[Path, typer.Option(help="File with labelled rows (CSV, TSV, JSONL, Parquet, CoNLL).")],
) -> None:
    """Write a first agents/AGENT.yaml from looking at a data file."""
    from deployments.commands import init_agent

    init_agent(agent, data)


@app.command()
def train(agent: Agent) -> None:
    """Make or renew an agent from its sources; the gate decides whether it becomes champion."""
    from deployments.commands import train_agent

    train_agent(agent)


@app.command()
def retrain(  # noqa: PLR0913 - one an option
    agent: Agent,
    *,
    window: Annotated[
        list[str] | None, typer.Option(help="Address of the new window; may be given several times.")
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option("--format", help="The window's format; by default its suffix's, else the agent's."),
    ] = None,
    query: Annotated[
        str | None, typer.Option(help="Table or SELECT of an SQL window; split of a Hugging Face one.")
    ] = None,
    domain: Annotated[str | None, typer.Option(help="Domain of all rows of the window.")] = None,
    force: Annotated[
        bool,
        typer.Option(help="Train a challenger even if nothing drifted (but never the champion over again)."),
    ] = False,
) -> None:
    """Look for drift in new rows; if there is any, train a challenger and let the gate decide."""
    from deployments.commands import retrain_agent

    said = {"format": kind, "query": query, "domain": domain}
    retrain_agent(agent, window or (), said, force=force)


@app.command()
def tune(
    agent: Agent,
    *,
    trials: Annotated[
        int | None, typer.Option(help="Most trainings in all; by default the file's search_trials.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(help="Begin no trial after this much training, all trials together.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Trials at the same time; another `tune` joins in as well.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Where to propose; by default AGENT.tuned.yaml beside the agent's file."),
    ] = None,
) -> None:
    """Search the ranges of the agent's `search`; propose the best as a new file.

    Each trial is a training, scored on validation rows alone and ended early
    where it lags behind. Killed, or told of a larger budget, the same command
    goes on where it was. The gate decides once the proposed file is trained.
    """
    from deployments.tuning import tune_agent

    tune_agent(agent, {"search_trials": trials, "search_seconds": seconds, "search_workers": workers}, out)


@app.command(name="meta-train")
def meta_train(
    start: Annotated[
        str, typer.Argument(help="Name of a start in ./agents/starts, or path of its YAML file.")
    ],
) -> None:
    """Meta-learn a start, from which a handful of labels is enough; the gate decides on it."""
    from deployments.commands import meta_train_start

    meta_train_start(start)


@app.command()
def pretrain(
    start: Annotated[
        str, typer.Argument(help="Name of a start in ./agents/pretrain, or path of its YAML file.")
    ],
) -> None:
    """Pretrain a language model on plain texts, as a start of agents; the gate decides on it."""
    from deployments.commands import pretrain_start

    pretrain_start(start)


@app.command()
def learn(
    agent: Annotated[str, typer.Argument(help="Name of the agent; a new one gets agents/AGENT.yaml.")],
    examples: Annotated[Path, typer.Option(help="File with a few labelled rows (CSV, TSV, JSONL, Parquet).")],
    start: Annotated[
        str | None, typer.Option(help="Name of the start; by default the agent's, or the only one.")
    ] = None,
) -> None:
    """Adapt an agent from a handful of examples, in seconds, and say how good it is."""
    from deployments.commands import learn_agent

    learn_agent(agent, examples, start)


@app.command()
def predict(
    agent: Annotated[str, typer.Argument(help="Name of an agent with a champion.")],
    texts: Annotated[
        list[str], typer.Argument(help="Texts, or rows as JSON objects; `-` reads lines from standard input.")
    ],
    json: Annotated[bool, typer.Option(help="Print one JSON object a line.")] = False,
) -> None:
    """Ask an agent's champion."""
    from deployments.records import predict_texts

    predict_texts(agent, texts, as_json=json)


@app.command()
def status() -> None:
    """List the agents with their champions and the last decision about each."""
    from deployments.records import show_status

    show_status()


@app.command()
def history(
    agent: Annotated[str, typer.Argument(help="Name of an agent; a start is start-NAME.")],
    on: Annotated[str | None, typer.Option(help="Who was champion on this date? (ISO 8601)")] = None,
) -> None:
    """Tell who was champion, when, and why."""
    from deployments.records import show_history

    show_history(agent, on)


@app.command()
def rollback(
    agent: Annotated[str, typer.Argument(help="Name of an agent; a start is start-NAME.")],
    reason: Reason = "rolled back by hand",
) -> None:
    """Bring the previous champion back."""
    from deployments.records import roll_back

    roll_back(agent, reason)


@app.command()
def promote(
    agent: Annotated[str, typer.Argument(help="Name of an agent; a start is start-NAME.")],
    version: Annotated[int, typer.Argument(help="Version to make champion.", min=1)],
    reason: Reason = "promoted by hand",
) -> None:
    """Make a version champion by hand; the ledger records who did it."""
    from deployments.records import promote_version

    promote_version(agent, version, reason)


@app.command()
def gc(
    keep_days: Annotated[float, typer.Option(help="Keep what was used within these days.", min=0)] = 30,
    dry_run: Annotated[bool, typer.Option(help="Only list what would go.")] = False,
) -> None:
    """Delete old caches, checkpoints and snapshots; never what the ledger or a version names."""
    from deployments.records import collect_garbage

    collect_garbage(keep_days, dry_run=dry_run)


@app.command()
def ui(
    prefect_port: Annotated[int, typer.Option(help="Loopback port of the Prefect pages.")] = 4200,
    mlflow_port: Annotated[int, typer.Option(help="Loopback port of the MLflow pages.")] = 5000,
) -> None:
    """Open the Prefect and MLflow pages on these records; Ctrl-C ends both."""
    from deployments.pages import serve_pages

    serve_pages(prefect_port, mlflow_port)


def main() -> None:
    """Run the command line; our own errors become one paragraph, never a traceback."""
    from models.errors import QuickstudyError

    try:
        app()
    except QuickstudyError as error:
        _complain(str(error))
    except KeyboardInterrupt:
        _complain("Interrupted. What was finished is kept; the same command goes on from there.", status=130)
    except Exception as error:
        if os.environ.get("QUICKSTUDY_DEBUG") == "1":
            raise
        _complain(
            f"Unexpected {type(error).__name__}: {error}. Nothing recorded is lost. "
            "QUICKSTUDY_DEBUG=1 shows where it happened."
        )


def _complain(text: str, status: int = 1) -> None:
    from rich.console import Console

    console = Console(stderr=True, width=min(100, Console().width))
    console.print("[bold red]Error[/]", end=" ")
    console.print(text, markup=False, highlight=False)
    sys.exit(status)


if __name__ == "__main__":
    main()
