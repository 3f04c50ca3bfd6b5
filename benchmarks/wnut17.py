"""Entity F1 of the product's fine-tuning on WNUT17's official test, with a bootstrap interval.

`python -m benchmarks.wnut17` trains distilbert-cased of $QUICKSTUDY_MODELS on the official training rows
and selects the epoch on the dev rows; the test rows are read once, after the training. Settings are tried
with `--score-on validation`. About half an hour on two cores.
"""

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.results import record, this_command
from benchmarks.wnut17_data import (
    LABELS,
    encoded_job,
    entity_counts,
    f1_of,
    folder_from,
    wnut17_config,
    wnut17_rows,
)
from models.adapters import get_adapter
from models.predictor import Predictor
from models.schemas import AgentConfig, TrainingReport
from models.training.job import TrainingProgress
from tasks.io.child import run_child

_DRAWS = 2000


def main() -> None:
    """Train, select on dev, score, record."""
    options = _options()
    config = wnut17_config(
        encoder=str(folder_from("QUICKSTUDY_MODELS") / "distilbert-cased"),
        epochs=options.epochs,
        learning_rate=options.learning_rate,
        tokens_per_batch=options.tokens,
        patience=options.epochs,
        precision=options.precision,
        seed=options.seed,
    )
    rows = wnut17_rows(options.rows)
    with TemporaryDirectory() as temporary:
        job = encoded_job(rows, config, options.folder or Path(temporary))
        began = time.monotonic()
        trained = run_child(job, _show, options.time_limit)
        seconds = time.monotonic() - began
        scored = rows.filter(pc.equal(rows["split"], options.score_on))
        predicted = Predictor.load(Path(trained.model.address)).predict(scored)
    markdown = report(config, trained, (scored, predicted), seconds)
    print(markdown)
    if options.record and options.score_on == "test":
        command = this_command()
        record("WNUT17 entity F1", command, markdown)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--rows", type=int, default=None, help="most rows of each split")
    parser.add_argument("--learning-rate", type=float, default=5e-5)
    parser.add_argument("--tokens", type=int, default=1024)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--time-limit", type=float, default=7200, help="seconds")
    parser.add_argument("--folder", type=Path, help="kept, and gone on with, if the run is cut off")
    parser.add_argument("--score-on", default="test", choices=("validation", "test"))
    parser.add_argument("--record", action=argparse.BooleanOptionalAction, default=True)
    return parser.parse_args()


def report(
    config: AgentConfig, trained: TrainingReport, scored: tuple[pa.Table, pa.Table], seconds: float
) -> str:
    """Tell F1 with its interval, precision and recall, F1 by type, and the dev curve."""
    rows, predicted = scored
    metrics = get_adapter(config).metrics(rows, predicted)
    low, high = 100 * bootstrap(entity_counts(rows, predicted, config))
    dev = ", ".join(f"{100 * point.validation_score:.1f}" for point in trained.curve)
    by_type = ", ".join(f"{label} {100 * value:.1f}" for label, value in _by_type(rows, predicted).items())
    return "\n".join(
        [
            "| split | sentences | F1 (strict) | 95 % by bootstrap of sentences | precision | recall |",
            "|---|---|---|---|---|---|",
            f"| {rows['split'][0]} | {rows.num_rows} | {100 * metrics['f1']:.2f} | {low:.2f} to {high:.2f} | "
            f"{100 * metrics['precision']:.1f} | {100 * metrics['recall']:.1f} |",
            "",
            f"F1 by type: {by_type}. Dev F1 by epoch: {dev}; kept: step {trained.best_step} of "
            f"{trained.steps}. {config.epochs} epochs, rate {config.learning_rate:g}, "
            f"{config.tokens_per_batch} sub-words a step, seed {config.seed}; {seconds:.0f} s, of which "
            f"{100 * trained.model_share:.1f} %, validation apart, in the model's work.",
        ]
    )


def bootstrap(counts: np.ndarray) -> np.ndarray:
    """Give the 2.5 and 97.5 % quantiles of F1 over resampled sentences."""
    rng = np.random.default_rng(0)
    weights = rng.multinomial(len(counts), np.full(len(counts), 1 / len(counts)), _DRAWS)
    quantiles: np.ndarray = np.quantile(f1_of(weights @ counts), [0.025, 0.975])
    return quantiles


def _by_type(rows: pa.Table, predicted: pa.Table) -> dict[str, float]:
    """Score each entity type with all others made O."""
    scores = {}
    for label in LABELS:
        kept = wnut17_config(labels=(label,))
        tables = [_only(table, label) for table in (rows.select(["tokens", "tags"]), predicted)]
        scores[label] = get_adapter(kept).metrics(tables[0], tables[1])["f1"]
    return scores


def _only(table: pa.Table, label: str) -> pa.Table:
    """Turn the tags of other types into O."""
    tags = table["tags"].combine_chunks()
    values = pc.if_else(pc.ends_with(tags.values, f"-{label}"), tags.values, "O")
    column = pa.ListArray.from_arrays(tags.offsets, values)
    return table.set_column(table.schema.get_field_index("tags"), "tags", column)


def _show(progress: TrainingProgress) -> None:
    now = progress.heartbeat
    scores = " ".join(f"{100 * point.validation_score:.1f}" for point in progress.curve)
    if now.step % 10 == 0:
        print(f"step {now.step}/{now.total_steps} {now.seconds:.0f} s, dev F1 {scores}", flush=True)


if __name__ == "__main__":
    main()
