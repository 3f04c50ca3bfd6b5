"""A table of trainings for searches to look up: every combination of a grid, trained once, kept in a file.

A search over such a table costs nothing, so that many can be compared (as in Klein and Hutter: Tabular
Benchmarks for Joint Architecture and Hyperparameter Optimization, 2019, arXiv:1905.04970).
"""

import itertools
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.intents import rows_of
from benchmarks.wnut17_data import encoded_job
from models.adapters import get_adapter
from models.predictor import Predictor
from models.schemas import AgentConfig, SourceConfig
from models.schemas.base import Record
from models.training.loop import fine_tune

GRID: dict[str, tuple[float, ...]] = {
    "learning_rate": (1e-5, 3.16e-5, 1e-4, 3.16e-4, 1e-3, 3.16e-3),
    "head_learning_rate": (1e-4, 1e-3, 1e-2),
}
EPOCHS = 5
_INTENTS, _EACH = 15, {"train": 8, "validation": 15, "test": 30}
_ADDRESSES = {"train": 100, "validation": 100, "test": 250}


class Training(Record):
    """One combination of the grid, trained to the end.

    Args:
        values: Its values.
        validation: Score on validation rows after each pass.
        test: Score on test rows of the weights of the best of these.
    """

    values: dict[str, float]
    validation: tuple[float, ...]
    test: float


def banking77(seed: int) -> tuple[AgentConfig, pa.Table]:
    """Take 20 intents with a few rows each."""
    rng, rows = np.random.default_rng(seed), rows_of("banking77")
    names = sorted(set(rows["label"].to_pylist()))
    chosen = sorted(rng.choice(names, _INTENTS, replace=False).tolist())
    parts = []
    for name in chosen:
        own = rows.filter(pc.equal(rows["label"], name))
        own = own.take(rng.permutation(len(own))[: sum(_EACH.values())])
        splits = [split for split, count in _EACH.items() for _ in range(count)]
        parts.append(own.append_column("split", pa.array(splits[: len(own)])))
    return _agent("text_classification", tuple(chosen), seed), pa.concat_tables(parts)


def addresses(seed: int) -> tuple[AgentConfig, pa.Table]:
    """Take a part of the bundled addresses, with the entity types that all three splits show."""
    rng = np.random.default_rng(seed)
    rows = pq.read_table(Path(__file__).parents[1] / "data" / "addresses.parquet", columns=["tokens", "tags"])
    labels = ("AddressNumber", "StreetName", "StreetNamePostType", "PlaceName", "StateName", "ZipCode")
    rows = rows.take(rng.permutation(len(rows))[: sum(_ADDRESSES.values())])
    tags = [[tag if tag[2:] in labels else "O" for tag in line] for line in rows["tags"].to_pylist()]
    splits = [split for split, count in _ADDRESSES.items() for _ in range(count)]
    table = pa.table({"tokens": rows["tokens"], "tags": tags, "split": splits})
    return _agent("token_classification", labels, seed), table


TASKS: dict[str, Callable[[int], tuple[AgentConfig, pa.Table]]] = {
    "banking77": banking77,
    "addresses": addresses,
}


def _agent(adapter: str, labels: tuple[str, ...], seed: int) -> AgentConfig:
    return AgentConfig(
        name="searched",
        adapter=adapter,
        labels=labels,
        sources=(SourceConfig(address="rows.parquet"),),
        max_length=64,
        stride=8,
        epochs=EPOCHS,
        patience=EPOCHS,
        tokens_per_batch=512,
        seed=seed,
    )


def make_table(task: str, seed: int, folder: Path) -> list[Training]:
    """Train the whole grid, one line of a file each; what is there already is not trained again."""
    path = folder / f"{task}-{seed}.jsonl"
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    found = [Training.model_validate_json(line) for line in lines]
    known = [training.values for training in found]
    config, rows = TASKS[task](seed)
    for combination in itertools.product(*GRID.values()):
        values = dict(zip(GRID, combination, strict=True))
        if values in known:
            continue
        began = time.monotonic()
        found.append(_train(config.model_copy(update=values), rows))
        with path.open("a", encoding="utf-8") as file:
            file.write(found[-1].model_dump_json() + "\n")
            file.flush()
            os.fsync(file.fileno())
        print(
            f"{task} {json.dumps(values)}: {found[-1].test:.3f}, {time.monotonic() - began:.0f} s", flush=True
        )
    return found


def _train(config: AgentConfig, rows: pa.Table) -> Training:
    with TemporaryDirectory() as folder:
        report = fine_tune(encoded_job(rows, config, Path(folder)))
        held_out = rows.filter(pc.equal(rows["split"], "test"))
        predicted = Predictor.load(Path(report.model.address)).predict(held_out)
    adapter = get_adapter(config)
    return Training(
        values={name: getattr(config, name) for name in GRID},
        validation=tuple(point.validation_score for point in report.curve),
        test=adapter.metrics(held_out, predicted)[adapter.primary_metric],
    )
