"""Every way of tuning beside full fine-tuning on three small tasks: share, memory, seconds and score.

`OMP_NUM_THREADS=1 python -m benchmarks.peft_methods`; `--rows 40 --epochs 1 --tasks slots` is a small try.
Each training is a process of its own, forked from one that has imported everything and computed nothing, so
that its peak memory is its own. Seconds are of the processor: the machine may be busy with other things.
"""

import argparse
import json
import multiprocessing
import re
import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from benchmarks.results import record, this_command
from benchmarks.wnut17_data import encoded_job, folder_from
from models.adapters import get_adapter
from models.metrics import score_counts
from models.predictor import Predictor
from models.schemas import AgentConfig, SourceConfig
from models.training.loop import fine_tune
from models.tuning.library import peft

RATES = {
    "full": 3e-4,
    "bitfit": 3e-3,
    "bottleneck": 1e-3,
    "lora": 1e-3,
    "rslora": 5e-4,
    "dora": 1e-3,
    "ia3": 1e-2,
    "prefix": 1e-2,
    "prompt": 3e-2,
}
"""Peak rate of what trains in the encoder: the smaller the share, the higher. Nothing was searched."""

_DATA = Path(__file__).parents[1] / "data"
_PARTS = ("StreetName", "PlaceName", "AddressNumber", "StreetNamePostType", "StateName", "ZipCode")
_SLOTS = ("date", "first_name", "last_name", "people", "time")
_WORD = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True)
class Run:
    """One training: what of the model trained, what it took, and the counts behind its score."""

    task: str
    way: str
    counts: np.ndarray
    share: float
    memory_mb: float
    seconds: float
    stored_mb: float


@dataclass(frozen=True)
class Task:
    """Rows and what is asked of them.

    Args:
        adapter: The task adapter.
        labels: Its labels.
        rows: Reads training rows, and the rows that are scored.
    """

    adapter: str
    labels: tuple[str, ...]
    rows: Callable[[], tuple[pa.Table, pa.Table]]


def _sentiment() -> tuple[pa.Table, pa.Table]:
    rows = pq.read_table(_DATA / "sentiment" / "tweets.parquet", columns=["text", "label"])
    return rows.slice(0, 2000), rows.slice(2000)


def _addresses() -> tuple[pa.Table, pa.Table]:
    rows = pq.read_table(_DATA / "addresses.parquet", columns=["tokens", "tags"])
    known = {"O", *(f"{place}-{part}" for part in _PARTS for place in "BI")}
    tags = [[tag if tag in known else "O" for tag in row] for row in rows["tags"].to_pylist()]
    rows = pa.table({"tokens": rows["tokens"], "tags": tags})
    order = np.random.default_rng(0).permutation(len(rows))
    return rows.take(order[:700]), rows.take(order[700:])


def _slots() -> tuple[pa.Table, pa.Table]:
    folder = folder_from("QUICKSTUDY_DATA") / "restaurant8k"
    taught, asked = (_tagged(folder / name) for name in ("train_0.json", "test.json"))
    return taught, asked


def _tagged(path: Path) -> pa.Table:
    """Turn marked stretches of a request into tags of its words."""
    tokens, tags = [], []
    for request in json.loads(path.read_text("utf-8")):
        text, spans = request["userInput"]["text"], request.get("labels", [])
        words = list(_WORD.finditer(text))
        own = ["O"] * len(words)
        for span in spans:
            first, last = (span["valueSpan"].get(end, 0) for end in ("startIndex", "endIndex"))
            inside = [i for i, word in enumerate(words) if word.start() < last and word.end() > first]
            for i in inside:
                own[i] = f"{'B' if i == inside[0] else 'I'}-{span['slot']}"
        tokens.append([word.group() for word in words])
        tags.append(own)
    return pa.table({"tokens": tokens, "tags": tags}).filter(pa.array([bool(words) for words in tokens]))


TASKS: Mapping[str, Task] = {
    "sentiment": Task("text_classification", ("negative", "neutral", "positive"), _sentiment),
    "addresses": Task("token_classification", _PARTS, _addresses),
    "slots": Task("token_classification", _SLOTS, _slots),
}


def main() -> None:
    """Run every way of every task and seed, and record one table a task."""
    options = _options()
    torch.set_num_threads(1)
    peft()
    runs: list[Run] = []
    with TemporaryDirectory() as folder:
        for seed in range(options.seeds):
            for name, way in product(options.tasks, RATES):
                runs.append(_in_own_process(name, way, seed, options, Path(folder) / f"{name}-{way}-{seed}"))
                print(f"seed {seed} {_line(name, way, runs[-1:])}", flush=True)
    markdown = report(runs, options)
    print(markdown)
    if options.record:
        record(f"Ways of tuning, head at {options.head_rate:g}", this_command(), markdown)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", nargs="+", choices=list(TASKS), default=list(TASKS))
    parser.add_argument("--rows", type=int, default=200, help="rows to learn from and to select by")
    parser.add_argument("--test-rows", type=int, default=300, help="most rows that are scored")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--head-rate", type=float, default=1e-3, help="peak rate of the head, for all")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--record", action=argparse.BooleanOptionalAction, default=True)
    return parser.parse_args()


def _in_own_process(name: str, way: str, seed: int, options: argparse.Namespace, folder: Path) -> Run:
    child = multiprocessing.get_context("fork").Process(
        target=_train, args=(name, way, seed, options, folder), name=f"{name}-{way}"
    )
    child.start()
    child.join()
    if child.exitcode:
        raise SystemExit(f"{name} with tuning: {way} ended with {child.exitcode}")
    figures = json.loads((folder / "run.json").read_text("utf-8"))
    return Run(name, way, np.load(folder / "counts.npy", allow_pickle=False), **figures)


def _train(name: str, way: str, seed: int, options: argparse.Namespace, folder: Path) -> None:
    """Train once and leave the figures in the folder."""
    task, rng = TASKS[name], np.random.default_rng(seed)
    taught, asked = task.rows()
    taught = taught.take(rng.permutation(len(taught))[: options.rows])
    splits = np.where(np.arange(len(taught)) % 5 == 4, "validation", "train")
    config = AgentConfig(
        name=name,
        adapter=task.adapter,
        labels=task.labels,
        sources=(SourceConfig(address="rows.parquet"),),
        max_length=64,
        stride=8,
        tokens_per_batch=256,
        epochs=options.epochs,
        patience=options.epochs,
        learning_rate=RATES[way],
        head_learning_rate=options.head_rate,
        tuning=way,
        seed=seed,
        checkpoint_steps=100_000,
    )
    job = encoded_job(taught.append_column("split", pa.array(splits)), config, folder)
    began = time.process_time()
    trained = fine_tune(job)
    seconds = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    asked = asked.slice(0, options.test_rows)
    predictor = Predictor.load(Path(trained.model.address))
    counts = get_adapter(config).outcomes(asked, predictor.predict(asked)).counts
    values = {
        "share": trained.trained_share,
        "memory_mb": peak,
        "seconds": seconds,
        "stored_mb": (Path(trained.model.address) / "model.safetensors").stat().st_size / 1e6,
    }
    np.save(folder / "counts.npy", counts)
    (folder / "run.json").write_text(json.dumps(values), "utf-8")


def report(runs: list[Run], options: argparse.Namespace) -> str:
    """Tell the figures of each way, a table a task."""
    rates = ", ".join(f"{way} {rate:g}" for way, rate in RATES.items())
    lines = [
        f"MiniLM, {options.rows} rows to learn from, a fifth of which selects the epoch, {options.epochs} "
        f"epochs, {options.seeds} seed(s), one thread. Score: accuracy (sentiment) or entity F1 on at most "
        f"{options.test_rows} held-out rows, all seeds together, with a 95 % interval by bootstrap of the "
        f"rows; then each seed's. Seconds are the processor's. Peak rates were fixed beforehand and not "
        f"searched: {rates}.",
    ]
    for name in options.tasks:
        lines += ["", f"### {name}", "", "| tuning | trains | stored, MB | peak, MB | s | score | by seed |"]
        lines.append("|---|---|---|---|---|---|---|")
        lines += [_line(name, way, runs) for way in RATES]
    return "\n".join(lines)


def _line(name: str, way: str, runs: list[Run]) -> str:
    own = [run for run in runs if (run.task, run.way) == (name, way)]
    share, stored, memory, seconds = np.mean(
        [(run.share, run.stored_mb, run.memory_mb, run.seconds) for run in own], axis=0
    )
    score = score_counts(np.sum([run.counts for run in own], axis=0), 0)
    by_seed = ", ".join(f"{100 * score_counts(run.counts, 0).value:.1f}" for run in own)
    return (
        f"| {way} | {100 * share:.2f} % | {stored:.2f} | {memory:.0f} | {seconds:.1f} "
        f"| {100 * score.value:.1f} [{100 * score.low:.1f}, {100 * score.high:.1f}] | {by_seed} |"
    )


if __name__ == "__main__":
    main()
