"""What each training objective buys on clean and on perturbed rows, with few labels.

`python -m benchmarks.adaptive banking77` (or `sentiment`) fine-tunes MiniLM by every objective, three seeds
each, and scores the same test rows as they are and changed. One process, one thread: seconds are of the
processor.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import torch

from benchmarks.intents import few_shot_rows
from benchmarks.results import record, this_command
from benchmarks.wnut17_data import encoded_job
from models.adapters import get_adapter
from models.perturb import PERTURBATIONS, Dose
from models.perturb.base import Perturbation
from models.predictor import Predictor
from models.schemas import AgentConfig, SourceConfig
from models.text_hash import text_hashes
from models.training.loop import fine_tune

SEEDS = (0, 1, 2)
METHODS: dict[str, dict[str, object]] = {
    "plain": {},
    "fgm": {"objective": "fgm"},
    "pgd": {"objective": "pgd"},
    "freelb": {"objective": "freelb"},
    "smart": {"objective": "smart"},
    "r_drop": {"objective": "r_drop"},
    "mixup": {"objective": "mixup"},
    "label smoothing 0.1": {"label_smoothing": 0.1},
    "start_decay 10": {"start_decay": 10.0},
}
CHANGED = ("typos", "synonyms")
_DOSE = Dose(0.2, 0)
_DRAWS = 10_000
_READING = f"""

Accuracy in percent, mean of three seeds (lowest to highest seed); beside it the difference to plain in
points with its 95 % interval from resampling test rows, which carry the seeds' mean. Changed rows:
{" and ".join(CHANGED)} in {_DOSE.share:.0%} of the words that can be, one a row at least. Time is the median
seed's processor time in training. Settings are first tries and the objectives' defaults, chosen on
nothing."""
_SENTIMENT = Path(__file__).parents[1] / "data" / "sentiment"


@dataclass(frozen=True)
class Task:
    """Rows to learn from, by seed, and rows to score.

    Args:
        told: What it is, in a sentence.
        train: Gives `text`, `label`, `split` of a seed.
        test: Rows with `text` and `label`.
        settings: Fields of the agent's description.
    """

    told: str
    train: Callable[[int], pa.Table]
    test: pa.Table
    settings: dict[str, object]


def main() -> None:
    """Train, score, record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=("banking77", "sentiment"))
    parser.add_argument("--rows", type=int, default=1000, help="test rows that are scored")
    parser.add_argument("--classes", default="", help="how the names of banking77's classes begin")
    options = parser.parse_args()
    torch.set_num_threads(1)
    task = sentiment(options.rows)
    if options.task == "banking77":
        task = banking77(options.rows, options.classes)
    right: dict[str, dict[str, list[np.ndarray]]] = {name: {} for name in METHODS}
    seconds: dict[str, list[float]] = {name: [] for name in METHODS}
    for seed in SEEDS:
        for name, changes in METHODS.items():
            found, took = run(task, seed, changes)
            seconds[name].append(took)
            for kind, rows in found.items():
                right[name].setdefault(kind, []).append(rows)
            shown = {kind: round(float(rows.mean()), 4) for kind, rows in found.items()}
            print(seed, name, shown, f"{took:.0f} s", flush=True)
    markdown = f"{task.told}\n\n{table(right, seconds)}"
    print(markdown)
    record(f"Adaptive learning: {options.task}", this_command(), markdown)


def banking77(rows: int, classes: str) -> Task:
    """Give BANKING77 with ten labelled rows a class, two of which choose the epoch."""
    train, test = (few_shot_rows("banking77", name) for name in ("train_10", "test"))
    train, test = (one.filter(pc.starts_with(one["label"], classes)) for one in (train, test))
    test, count = _some(test, rows, 0), len(set(train["label"].to_pylist()))
    return Task(
        f"The {count} classes of BANKING77 that begin with {classes!r}, ten labels a class (the published "
        f"`train_10`), two of which, others by seed, choose the epoch; {test.num_rows:,} rows of the "
        "official test.",
        lambda seed: _split_by_class(train, 10, 2, seed),
        test,
        {"epochs": 5, "tokens_per_batch": 192, "learning_rate": 3e-4, "head_learning_rate": 1e-2},
    )


def sentiment(rows: int) -> Task:
    """Give the bundled sentences with a hundred and twenty labelled rows a class."""
    parts = [pq.read_table(path, columns=["text", "label"]) for path in sorted(_SENTIMENT.glob("*.parquet"))]
    everything = pa.concat_tables(parts)
    order = np.random.default_rng(0).permutation(everything.num_rows)
    test, rest = everything.take(order[:rows]), everything.take(order[rows:])
    return Task(
        "The bundled sentences of four domains, 120 labels a class, drawn anew by seed, 20 of which choose "
        f"the epoch; {rows:,} other rows.",
        lambda seed: _split_by_class(_some(rest, rest.num_rows, seed), 120, 20, seed),
        test,
        {"epochs": 3, "tokens_per_batch": 256, "learning_rate": 2e-4, "head_learning_rate": 1e-2},
    )


def run(task: Task, seed: int, changes: dict[str, object]) -> tuple[dict[str, np.ndarray], float]:
    """Train once; give which test rows are right, as they are and changed, and the training's CPU seconds."""
    train = task.train(seed)
    config = AgentConfig.model_validate(
        {
            "name": "adaptive",
            "adapter": "text_classification",
            "labels": sorted(set(train["label"].to_pylist())),
            "sources": (SourceConfig(address="rows.csv"),),
            "max_length": 64,
            "stride": 8,
            "patience": 100,
            "seed": seed,
            **task.settings,
            **changes,
        }
    )
    with TemporaryDirectory() as temporary:
        job = encoded_job(train, config, Path(temporary))
        began = time.process_time()
        trained = fine_tune(job)
        took = time.process_time() - began
        predictor = Predictor.load(Path(trained.model.address))
    adapter = get_adapter(config)
    found = {
        name: adapter.outcomes(rows, predictor.predict(rows)).exact
        for name, rows in _variants(task.test).items()
    }
    return found, took


def table(right: dict[str, dict[str, list[np.ndarray]]], seconds: dict[str, list[float]]) -> str:
    """Lay out scores, their differences to plain with intervals over test rows, and time."""
    kinds = list(right["plain"])
    lines = [
        f"| method | {' | '.join(f'{kind} | to plain' for kind in kinds)} | time to plain |",
        f"|---|{'---|---|' * len(kinds)}---:|",
    ]
    for name, found in right.items():
        cells = []
        for kind in kinds:
            own, plain = np.mean(found[kind], axis=0), np.mean(right["plain"][kind], axis=0)
            seeds = [100 * float(one.mean()) for one in found[kind]]
            cells += [
                f"{100 * own.mean():.1f} ({min(seeds):.1f}-{max(seeds):.1f})",
                "-" if name == "plain" else interval(own - plain),
            ]
        # The first run of a process pays for its imports: a mean would hold that against its method.
        ratio = float(np.median(seconds[name]) / np.median(seconds["plain"]))
        lines.append(f"| {name} | {' | '.join(cells)} | {ratio:.1f} |")
    return "\n".join(lines) + _READING


def interval(differences: np.ndarray) -> str:
    """Give the mean of (rows,) paired differences with a bootstrap interval, in points."""
    rng = np.random.default_rng(0)
    picks = rng.integers(0, len(differences), (_DRAWS // 10, 10, len(differences)), dtype=np.int32)
    means = np.concatenate([differences[pick].mean(axis=1) for pick in picks])
    low, high = np.percentile(means, [2.5, 97.5])
    return f"{100 * differences.mean():+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"


def _variants(test: pa.Table) -> dict[str, pa.Table]:
    hashes = pa.array(text_hashes(test["text"].combine_chunks()), pa.uint64())
    rows = test.append_column("text_hash", hashes)
    kinds: dict[str, Perturbation] = {name: PERTURBATIONS[name]() for name in CHANGED}
    return {"clean": rows} | {name: one.apply(rows, "text", _DOSE) for name, one in kinds.items()}


def _split_by_class(rows: pa.Table, each: int, validation: int, seed: int) -> pa.Table:
    """Keep `each` rows of every class, of which `validation` are held back."""
    rng, labels = np.random.default_rng(seed), np.array(rows["label"].to_pylist())
    splits = np.full(len(labels), "", dtype=object)
    for label in np.unique(labels):
        chosen = rng.permutation(np.flatnonzero(labels == label))[:each]
        splits[chosen[:validation]], splits[chosen[validation:]] = "validation", "train"
    kept = rows.append_column("split", pa.array(splits, pa.string()))
    return kept.filter(pc.not_equal(kept["split"], ""))


def _some(rows: pa.Table, count: int, seed: int) -> pa.Table:
    order = np.random.default_rng(seed).permutation(rows.num_rows)[:count]
    return rows.take(pa.array(order))


if __name__ == "__main__":
    main()
