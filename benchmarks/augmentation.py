"""What rows made of few are worth: `python -m benchmarks.augmentation --sizes 5 10 --ways crossover`.

BANKING77 with 5, 10 or 50 rows a class, MiniLM fine-tuned for as many steps with made rows as without; the
best epoch is chosen on two further rows a class, and all 3,080 test rows are looked at once.
"""

import argparse
import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.intents import few_shot_rows
from benchmarks.results import record, this_command
from benchmarks.wnut17_data import folder_from
from models.adapters import get_adapter
from models.augment import AUGMENTERS, Teachers
from models.augment.rows import make_rows
from models.predictor import Predictor
from models.preprocess import encode_snapshot
from models.schemas import AgentConfig, ArtifactRef, SourceConfig
from models.schemas.augment_fields import AugmentName
from models.text_hash import text_hashes
from models.training.files import folder_ref
from models.training.job import TrainJob
from models.training.loop import fine_tune

_COPIES, _EPOCHS, _FOR_VALIDATION = 2, 30, 2


@dataclass(frozen=True)
class Data:
    """Rows of one draw: to train on, to choose the epoch on, and to score."""

    train: pa.Table
    validation: pa.Table
    test: pa.Table


def main() -> None:
    """Fine-tune with and without made rows and write down the accuracy of each."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[5, 10, 50])
    parser.add_argument("--ways", nargs="+", default=["crossover"], choices=list(AUGMENTERS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--masked-lm", help="id or folder of the model that replaces words")
    parser.add_argument("--translators", nargs=2, help="model folders that translate forth and back")
    chosen = parser.parse_args()
    teachers = Teachers(chosen.masked_lm, chosen.translators and tuple(chosen.translators))
    lines = [
        "| rows a class | made rows | accuracy by seed | mean | gain (95 % over test rows) |",
        "|---:|---|---|---:|---|",
    ]
    for size in chosen.sizes:
        right = {w: [_right(size, w, s, teachers) for s in chosen.seeds] for w in ("none", *chosen.ways)}
        lines += [_line(size, way, found, right["none"]) for way, found in right.items()]
        print("\n".join(lines), flush=True)
    about = (
        f"BANKING77, MiniLM, the steps of {_EPOCHS} epochs with and without; each way makes {_COPIES} rows "
        f"of each. Seeds {', '.join(map(str, chosen.seeds))}."
    )
    record("Rows made of few", this_command(), f"{about}\n\n" + "\n".join(lines))


def _right(size: int, way: str, seed: int, teachers: Teachers) -> np.ndarray:
    """Give which test rows are answered rightly, (rows,) bool."""
    data = _data(size, seed)
    config = _config(data, way, seed, teachers)
    adapter = get_adapter(config)
    with TemporaryDirectory() as name:
        folder = Path(name)
        more = None
        if way != "none":
            chosen: AugmentName = config.augment[0]
            known = text_hashes(
                pa.concat_tables([data.train, data.validation, data.test])["text"].combine_chunks()
            )
            ways = {chosen: AUGMENTERS[chosen].make(config, teachers)}
            more = folder / "more.parquet"
            pq.write_table(make_rows(adapter, ways, data.train, known).rows, more)
        splits = [("train", data.train), ("validation", data.validation)]
        rows = pa.concat_tables([t.append_column("split", pa.array([s] * len(t))) for s, t in splits])
        pq.write_table(rows, folder / "rows.parquet")
        encode_snapshot(config, folder / "rows.parquet", folder / "encoded", more)
        encoded = ArtifactRef(address=str(folder / "encoded"), digest=folder_ref(folder / "encoded").digest)
        job = TrainJob(
            config=config, encoded=encoded, rows=str(folder / "rows.parquet"), out=str(folder / "out")
        )
        predictor = Predictor.load(Path(fine_tune(job).model.address))
        return adapter.outcomes(data.test, predictor.predict(data.test)).exact


def _config(data: Data, way: str, seed: int, teachers: Teachers) -> AgentConfig:
    augmented = {
        "augment": (way,),
        "augment_copies": _COPIES,
        **({"masked_lm": teachers.masked_lm} if way == "masked_words" else {}),
        **({"translators": ("forth", "back")} if way == "back_translation" else {}),
    }
    epochs = _EPOCHS if way == "none" else _EPOCHS // (1 + _COPIES)
    return AgentConfig(
        name="augmented",
        adapter="text_classification",
        labels=tuple(sorted(set(data.train["label"].to_pylist()))),
        sources=(SourceConfig(address="banking77"),),
        max_length=64,
        epochs=epochs,
        patience=epochs,
        seed=seed,
        **(augmented if way != "none" else {}),
    )


def _data(size: int, seed: int) -> Data:
    """Take the published rows of 5 or 10 a class, else a draw; validation rows are none of them."""
    train, test = (_read(name) for name in ("train", "test"))
    published = size in (5, 10)
    chosen = few_shot_rows("banking77", f"train_{size}") if published else _drawn(train, size, seed)
    taken = set(chosen["text"].to_pylist())
    left = train.filter(pa.array([text not in taken for text in train["text"].to_pylist()]))
    return Data(chosen, _drawn(left, _FOR_VALIDATION, seed), test)


def _drawn(rows: pa.Table, count: int, seed: int) -> pa.Table:
    labels = rows["label"].to_numpy(zero_copy_only=False)
    rng = np.random.default_rng(seed)
    chosen = [rng.permutation(np.flatnonzero(labels == name))[:count] for name in np.unique(labels)]
    return rows.take(pa.array(np.sort(np.concatenate(chosen))))


def _read(name: str) -> pa.Table:
    path = folder_from("QUICKSTUDY_DATA") / "banking77" / f"{name}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return pa.table({"text": [r["text"] for r in rows], "label": [r["category"] for r in rows]})


def _line(size: int, way: str, right: Sequence[np.ndarray], plain: Sequence[np.ndarray]) -> str:
    scores = [100 * one.mean() for one in right]
    gain = np.mean([one.astype(float) - other for one, other in zip(right, plain, strict=True)], axis=0)
    rng = np.random.default_rng(0)
    means = [100 * rng.choice(gain, len(gain)).mean() for _ in range(2000)]
    low, high = np.percentile(means, [2.5, 97.5])
    told = "-" if way == "none" else f"{100 * gain.mean():+.1f} ({low:+.1f} to {high:+.1f})"
    each = ", ".join(f"{score:.1f}" for score in scores)
    return f"| {size} | {way} | {each} | {np.mean(scores):.1f} | {told} |"


if __name__ == "__main__":
    main()
