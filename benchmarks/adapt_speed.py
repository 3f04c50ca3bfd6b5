"""Seconds from 25 labelled texts to a predictor (5-way 5-shot, BANKING77), for each learner.

`python -m benchmarks.adapt_speed` (a minute on two cores). The start is MiniLM as it is, stored and read as
any start; what is timed is the product's own path: tokenizing, adapting, the agent's model, and its first
answer. Reading the start from the disk is timed apart.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.intents import rows_of
from benchmarks.results import record, this_command
from models.adapters import get_adapter
from models.meta.adapting import Adaptation, read_examples
from models.meta.store import StoredStart, load_start, plain_start, save_start
from models.predictor import Predictor
from models.schemas import AgentConfig
from models.schemas.start import StartConfig
from models.task_model import SavedAgent

LEARNERS = {
    "prototypical": ("all", {}),
    "ridge": ("all", {}),
    "anil": ("all", {"inner_steps": 10}),
    "maml, two layers": (2, {"inner_steps": 5}),
}
WAY, SHOT = 5, 5


def main() -> None:
    """Time every learner in turn, and record the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--record", action=argparse.BooleanOptionalAction, default=True)
    options = parser.parse_args()
    rows = rows_of("banking77")
    took: dict[str, list[float]] = {name: [] for name in LEARNERS}
    reading: list[float] = []
    with tempfile.TemporaryDirectory() as place:
        folders = {name: _stored(Path(place) / name.partition(",")[0], name) for name in LEARNERS}
        for run in range(options.runs + 1):
            for name, folder in folders.items():
                began = time.perf_counter()
                start = load_start(folder)
                loaded = time.perf_counter()
                _adapt(start, *_draw(rows, run))
                if run:  # the first one warms up
                    took[name].append(time.perf_counter() - loaded)
                    reading.append(loaded - began)
    markdown = _report(took, reading, options.runs)
    print(markdown)
    if options.record:
        command = this_command()
        record("Adapting to five classes with five examples each", command, markdown)


def _stored(folder: Path, name: str) -> Path:
    layers, own = LEARNERS[name]
    source = {"adapter": "text_classification", "source": {"address": "rows.csv"}}
    learner = name.partition(",")[0]
    config = StartConfig.model_validate(
        {
            "name": "plain",
            "sources": [source],
            "learner": learner,
            "learner_settings": own,
            "meta_layers": layers,
        }
    )
    save_start(folder, plain_start(config))
    return folder


def _draw(rows: pa.Table, seed: int) -> tuple[pa.Table, AgentConfig]:
    """Draw classes and examples."""
    rng, labels = np.random.default_rng(seed), rows["label"].to_numpy(zero_copy_only=False)
    classes = rng.choice(np.unique(labels), WAY, replace=False)
    chosen = np.concatenate([rng.choice(np.flatnonzero(labels == c), SHOT, replace=False) for c in classes])
    source = {"address": "rows.csv"}
    values = {"name": "few", "adapter": "text_classification", "labels": list(classes), "sources": [source]}
    config = AgentConfig.model_validate({**values, "max_length": 64, "stride": 0, "unit_features": True})
    return rows.take(chosen), config


def _adapt(start: StoredStart, rows: pa.Table, config: AgentConfig) -> None:
    """Go the product's way from texts to an answer."""
    adapter = get_adapter(config)
    examples = read_examples(rows, adapter, start.tokenizer)
    model = Adaptation.of(start, examples, config.labels).model(np.arange(len(examples.rows)))
    Predictor(SavedAgent(model, start.tokenizer, config), adapter).predict(rows["text"].to_pylist()[:1])


def _report(took: dict[str, list[float]], reading: list[float], runs: int) -> str:
    lines = [
        f"{WAY} classes, {SHOT} examples each, {runs} draws; learners in turns. Bar: 1 s.",
        "",
        "| learner | seconds, median | 95 % of runs under |",
        "|---|---:|---:|",
        *(f"| {name} | {np.median(t):.2f} | {np.quantile(t, 0.95):.2f} |" for name, t in took.items()),
        "",
        f"Reading a start from the disk: {np.median(reading):.2f} s (median).",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
