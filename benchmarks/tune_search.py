"""`tune`'s way to choose and to prune against random search, at equal cost, on two tasks.

Every combination of a grid is trained once (`benchmarks/tune_table.py`; kept in --folder, so that a run that
was cut off goes on). Searches then draw from the product's own sampler and pruner between the grid's ends,
read the nearest combination's curve, and pay a pass over the training rows for each of its points.

    python -m benchmarks.tune_search --folder /tmp/tables
"""

import argparse
import math
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
import optuna

from benchmarks.results import record, this_command
from benchmarks.tune_table import EPOCHS, GRID, TASKS, Training, make_table
from models.schemas import AgentConfig, SourceConfig
from tasks.io.search.space import draw, space_of
from tasks.io.search.study import pruner_for, sampler_for

WAYS = {
    "random": ("random", "none"),
    "random, pruned": ("random", "median"),
    "tpe": ("tpe", "none"),
    "tpe, pruned (the default)": ("tpe", "median"),
}
_DRAWS = 4000


@dataclass(frozen=True)
class Found:
    """What a search held as best when its passes were spent: the scores, and the trials begun."""

    validation: float
    test: float
    trials: int


def main() -> None:
    """Make the tables, run the searches, print and record what they found."""
    options = _options()
    options.folder.mkdir(parents=True, exist_ok=True)
    lines = [
        "| task | passes | way | trials | validation | test | test less random's |",
        "|---|---|---|---|---|---|---|",
    ]
    for task in options.tasks:
        tables = [make_table(task, seed, options.folder) for seed in range(options.tables)]
        for passes in options.passes:
            lines += compare(task, tables, passes, options.searches)
    markdown = "\n".join([*lines, "", _words(options)])
    print(markdown)
    if options.record:
        record("Search against random search", this_command(), markdown)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--folder", type=Path, required=True, help="where tables are kept")
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=list(TASKS))
    parser.add_argument(
        "--tables", type=int, default=1, help="tables a task, each with rows and a seed of its own"
    )
    parser.add_argument("--searches", type=int, default=200, help="searches a way, by seed")
    parser.add_argument("--passes", type=int, nargs="+", default=[40, 80], help="passes a search may spend")
    parser.add_argument("--record", action=argparse.BooleanOptionalAction, default=True)
    return parser.parse_args()


def compare(task: str, tables: list[list[Training]], passes: int, searches: int) -> list[str]:
    """Run every way over every table with the same seeds and give a line a way."""
    found = {
        way: [search(table, way, seed, passes) for table in tables for seed in range(searches)]
        for way in WAYS
    }
    ceiling = fmean(max(max(one.validation) for one in table) for table in tables)
    lines = []
    for way, results in found.items():
        tests = np.array([one.test for one in results])
        less = tests - np.array([one.test for one in found["random"]])
        lines.append(
            f"| {task} | {passes} | {way} | {fmean(one.trials for one in results):.1f} | "
            f"{_interval(np.array([one.validation for one in results]))} of {100 * ceiling:.1f} | "
            f"{_interval(tests)} | {'' if way == 'random' else _interval(less)} |"
        )
    return lines


def search(table: list[Training], way: str, seed: int, passes: int) -> Found:
    """Search one table until the passes are spent; a trial that they cut short counts by what it showed."""
    config = _agent(way, seed)
    space, spent, best, number = space_of(config), 0, Found(-1.0, 0.0, 0), 0
    study = optuna.create_study(direction="maximize", pruner=pruner_for(config))
    while spent < passes:
        study.sampler = sampler_for(config, number)
        trial = study.ask()
        training = _nearest(table, {name: float(v or 0) for name, v in draw(trial, space).items()})
        pruned, shown = False, 0
        for score in training.validation[: passes - spent]:
            shown += 1
            trial.report(score, shown)
            if shown < EPOCHS and trial.should_prune():
                pruned = True
                break
        spent, number = spent + shown, number + 1
        state = optuna.trial.TrialState.PRUNED if pruned else optuna.trial.TrialState.COMPLETE
        value = max(training.validation[:shown])
        study.tell(trial, None if pruned else value, state=state)
        # A training that was cut short stored no weights, so only a whole one is a find.
        if shown == EPOCHS and value > best.validation:
            best = Found(value, training.test, number)
    return Found(best.validation, best.test, number)


def _agent(way: str, seed: int) -> AgentConfig:
    method, pruner = WAYS[way]
    ranges = {name: {"low": min(grid), "high": max(grid), "log": True} for name, grid in GRID.items()}
    return AgentConfig.model_validate(
        {
            "name": "searched",
            "adapter": "text_classification",
            "labels": ("a", "b"),
            "sources": (SourceConfig(address="rows.parquet"),),
            "seed": seed,
            "search": ranges,
            "search_method": method,
            "search_pruner": pruner,
        }
    )


def _nearest(table: list[Training], values: dict[str, float]) -> Training:
    def distance(one: Training) -> float:
        return sum((math.log(one.values[name] / value)) ** 2 for name, value in values.items())

    return min(table, key=distance)


def _interval(values: np.ndarray) -> str:
    """Give the mean in points with its 95 % bootstrap interval over searches."""
    draws = np.random.default_rng(0).integers(0, len(values), (_DRAWS, len(values)))
    low, high = np.quantile(values[draws].mean(axis=1), [0.025, 0.975])
    return f"{100 * values.mean():.2f} ({100 * low:.2f} to {100 * high:.2f})"


def _words(options: argparse.Namespace) -> str:
    size = math.prod(len(grid) for grid in GRID.values())
    return (
        f"{options.searches} searches a way and table, {options.tables} table(s) a task of {size} trainings "
        f"(learning_rate and head_learning_rate), {EPOCHS} passes each. A search pays a pass over the "
        "training rows for each validation score that it looks at, and holds the whole training with the "
        "best of them when its passes are spent; `of` is the best of the table. Intervals are over "
        "searches: they do not tell how other rows would turn out. Accuracy on BANKING77 (15 intents, 8 "
        "rows each), strict entity F1 on the bundled addresses (100 rows)."
    )


if __name__ == "__main__":
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    main()
