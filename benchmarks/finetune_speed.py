"""Sentences a second of fine-tuning beside a tutorial's loop and transformers.Trainer, and the F1 of each.

`python -m benchmarks.finetune_speed` (about an hour on two cores); `--rows 200 --epochs 1 --seeds 1` is a
small try. Runs alternate and each has a process of its own.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow.compute as pc
import torch
from scipy.special import stdtrit

from benchmarks.finetune_rivals import train_plain, train_with_trainer
from benchmarks.results import record, this_command
from benchmarks.wnut17_data import encoded_job, entity_counts, f1_of, wnut17_config, wnut17_rows
from models.networks import EncoderNetwork
from models.predictor import Predictor
from models.schemas import TrainingReport
from models.task_model import build, save
from models.training.job import TrainJob
from tasks.io.child import run_child

VARIANTS = ("ours", "plain", "trainer")
_APART = ("setup", "validation", "save")


@dataclass(frozen=True)
class Run:
    """One training: its speed, its F1 on the scored split, and the entity counts behind that."""

    variant: str
    seed: int
    sentences_per_second: float
    f1: float
    counts: np.ndarray
    parts: dict[str, float]


def main() -> None:
    """Run every variant with every seed in turn, and record the table."""
    options = _options()
    if options.one:
        _train_one(options)
        return
    with TemporaryDirectory() as folder:
        runs = []
        for seed in range(options.seeds):
            for i in range(len(VARIANTS)):
                variant = VARIANTS[(i + seed) % len(VARIANTS)]
                runs.append(_in_own_process(options, variant, seed, Path(folder) / f"{variant}-{seed}"))
                speed, f1 = runs[-1].sentences_per_second, 100 * runs[-1].f1
                print(f"seed {seed} {variant}: {speed:.1f} sentences/s, F1 {f1:.2f}", flush=True)
    markdown = report(runs, options)
    print(markdown)
    if options.record:
        record(
            "Fine-tuning speed",
            this_command(),
            markdown,
        )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=None, help="most rows of each split")
    parser.add_argument("--learning-rate", type=float, default=3e-4, help="peak rate of the encoder, for all")
    parser.add_argument("--tokens", type=int, default=1024, help="sub-words a batch of ours")
    parser.add_argument("--precision", default="auto", help="of ours: auto, fp32 or bf16")
    parser.add_argument("--score-on", default="test", choices=("validation", "test"))
    parser.add_argument("--record", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--one", choices=VARIANTS, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _in_own_process(options: argparse.Namespace, variant: str, seed: int, folder: Path) -> Run:
    arguments = [
        "--epochs",
        options.epochs,
        "--learning-rate",
        options.learning_rate,
        "--tokens",
        options.tokens,
    ]
    arguments += ["--precision", options.precision, "--score-on", options.score_on]
    arguments += ["--rows", options.rows] if options.rows else []
    arguments += ["--one", variant, "--seed", seed, "--folder", folder]
    subprocess.run([sys.executable, "-m", "benchmarks.finetune_speed", *map(str, arguments)], check=True)
    found = json.loads((folder / "run.json").read_text("utf-8"))
    counts = np.load(folder / "counts.npy", allow_pickle=False)
    return Run(variant, seed, counts=counts, f1=float(f1_of(counts.sum(0))), **found)


def _train_one(options: argparse.Namespace) -> None:
    """Train one variant in this process and leave its figures in the folder."""
    config = wnut17_config(
        epochs=options.epochs,
        seed=options.seed,
        learning_rate=options.learning_rate,
        tokens_per_batch=options.tokens,
        precision=options.precision,
        patience=options.epochs,
    )
    rows = wnut17_rows(options.rows)
    job = encoded_job(rows, config, options.folder)
    model, seconds, parts = _TRAIN[options.one](job)
    sentences = config.epochs * int(pc.sum(pc.equal(rows["split"], "train")).as_py())
    scored = rows.filter(pc.equal(rows["split"], options.score_on))
    counts = entity_counts(scored, Predictor.load(model).predict(scored), config)
    np.save(options.folder / "counts.npy", counts)
    values = {"sentences_per_second": sentences / seconds, "parts": parts}
    (options.folder / "run.json").write_text(json.dumps(values), "utf-8")


def _ours(job: TrainJob) -> tuple[Path, float, dict[str, float]]:
    trained: TrainingReport = run_child(job, lambda _: None, 36000)
    seconds = trained.seconds - sum(trained.seconds_by_part.get(part, 0.0) for part in _APART)
    parts = {part: s / seconds for part, s in trained.seconds_by_part.items() if part not in _APART}
    return Path(trained.model.address), seconds, {**parts, "model": trained.model_share}


def _rival(
    job: TrainJob, train: Callable[[TrainJob, EncoderNetwork, int], float]
) -> tuple[Path, float, dict[str, float]]:
    torch.manual_seed(job.seeded_config.seed)
    model, tokenizer = build(job.seeded_config)
    seconds = train(job, model, int(tokenizer.pad_token_id))
    save(job.folder / "model", model, tokenizer, job.config)
    return job.folder / "model", seconds, {}


_TRAIN: dict[str, Callable[[TrainJob], tuple[Path, float, dict[str, float]]]] = {
    "ours": _ours,
    "plain": lambda job: _rival(job, train_plain),
    "trainer": lambda job: _rival(job, train_with_trainer),
}


def report(runs: list[Run], options: argparse.Namespace) -> str:
    """Tell medians, ratios by seed, and paired F1 differences with their intervals."""
    lines = [
        f"WNUT17, MiniLM, {options.epochs} epochs, {options.seeds} seeds, peak rate "
        f"{options.learning_rate:g}, {options.tokens} sub-words a step; F1 on {options.score_on}. Ours keeps "
        "its best epoch by the dev rows.",
        "",
        "| loop | sentences/s, median | ours is faster by (each seed) | F1 by seed | ours minus it, 95 % |",
        "|---|---|---|---|---|",
    ]
    of = {name: [run for run in runs if run.variant == name] for name in VARIANTS}
    of = {name: sorted(found, key=lambda run: run.seed) for name, found in of.items()}
    for name in VARIANTS:
        speed = np.array([run.sentences_per_second for run in of[name]])
        ratios = np.array([run.sentences_per_second for run in of["ours"]]) / speed
        shown = (
            f"{np.median(ratios):.2f} x ({', '.join(f'{r:.2f}' for r in ratios)})" if name != "ours" else ""
        )
        f1 = ", ".join(f"{100 * run.f1:.1f}" for run in of[name])
        difference = _difference(of["ours"], of[name]) if name != "ours" else ""
        lines.append(f"| {name} | {np.median(speed):.1f} | {shown} | {f1} | {difference} |")
    shares = {part: np.median([run.parts[part] for run in of["ours"]]) for part in of["ours"][0].parts}
    told = ", ".join(f"{part} {100 * share:.1f} %" for part, share in shares.items() if part != "model")
    lines += ["", f"Share of ours in the model's work: {100 * shares['model']:.1f} % ({told})."]
    return "\n".join(lines)


def _difference(ours: list[Run], other: list[Run], draws: int = 2000) -> str:
    """Give the mean paired difference over seeds, by bootstrap of rows and by Student's t over seeds."""
    mine, theirs = np.stack([run.counts for run in ours]), np.stack([run.counts for run in other])
    rng = np.random.default_rng(0)
    weights = rng.multinomial(mine.shape[1], np.full(mine.shape[1], 1 / mine.shape[1]), draws)
    drawn = (
        f1_of(np.einsum("dr,src->dsc", weights, mine)) - f1_of(np.einsum("dr,src->dsc", weights, theirs))
    ).mean(1)
    low, high = 100 * np.quantile(drawn, [0.025, 0.975])
    by_seed = 100 * (f1_of(mine.sum(1)) - f1_of(theirs.sum(1)))
    text = f"{by_seed.mean():+.2f} [{low:+.2f}, {high:+.2f}] rows"
    if len(by_seed) > 1:
        half = stdtrit(len(by_seed) - 1, 0.975) * by_seed.std(ddof=1) / np.sqrt(len(by_seed))
        text += f", [{by_seed.mean() - half:+.2f}, {by_seed.mean() + half:+.2f}] seeds"
    return text


if __name__ == "__main__":
    main()
