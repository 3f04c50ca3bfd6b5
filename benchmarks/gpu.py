"""Step times of fine-tuning and meta-training on a GPU: MiniLM and BERT-base's shape, in bf16.

`python -m benchmarks.gpu` (some minutes on one card; without one it says so and ends). Texts and the larger
encoder's weights are made up, which changes no time. Of the project it needs `models/` alone, and it runs
what the product runs: `fine_tune` of an agent's job, and `MetaTraining`; each eager and compiled.
"""

import argparse
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from transformers import BertConfig

from benchmarks.results import record, this_command
from models.encoder import load_encoder_model, load_tokenizer, new_encoder
from models.episodes import EpisodeSampler, EpisodeShape, Kind, Pool, Split
from models.learners import make_learner
from models.meta.batches import Reader
from models.meta.loop import Lessons, MetaTraining, Progress
from models.meta.mixed import attends_plainly
from models.meta.networks import build_networks
from models.meta.scoring import Source, Start
from models.meta.settings import MetaSettings
from models.preprocess import encode_snapshot
from models.pretrained import DEFAULT_ENCODER
from models.ragged import Ragged
from models.schemas import AgentConfig, ArtifactRef
from models.training.files import folder_ref
from models.training.job import TrainJob
from models.training.loop import fine_tune

KIND: Kind = "text_classification"
PEAKS = {"H100": 989e12, "H200": 989e12, "A100": 312e12, "L40S": 362e12, "L4": 121e12, "A10G": 70e12}
"""Dense bf16 products a second that a card's maker names, by a part of the card's name."""
_CLASSES, _LENGTHS = 16, (16, 48)


@dataclass(frozen=True)
class Size:
    """How much is run.

    Args:
        rows: Texts to fine-tune on.
        tokens: Sub-words a batch.
        steps: Outer steps of a meta-training.
    """

    rows: int = 8192
    tokens: int = 16384
    steps: int = 60


@dataclass(frozen=True)
class Timed:
    """One run, without its first part, in which libraries and compilers get ready.

    Args:
        seconds: A step's.
        examples: Texts a second.
        tokens: Sub-words a second.
    """

    seconds: float
    examples: float
    tokens: float


def main() -> None:
    """Time everything, and record the table under the card's name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--anywhere", action="store_true", help="try the command on a CPU: small, unrecorded")
    options = parser.parse_args()
    if not (torch.cuda.is_available() or options.anywhere):
        print("There is no GPU that torch can use on this machine, so nothing was measured.")
        return
    card = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    size = Size(rows=64, tokens=512, steps=4) if options.anywhere else Size()
    lines = [
        f"{card}, bf16. A step of fine-tuning holds {size.tokens:,} sub-words, one of meta-training 4 "
        "episodes of 16-way 5-shot with 5 queries (prototypical, all layers). The first part of each run, in "
        "which libraries and compilers get ready, is left out.",
        "",
        "| what | encoder | mode | ms a step | examples a second | share of peak | peak memory, MB |",
        "|---|---|---|---:|---:|---:|---:|",
    ]
    with TemporaryDirectory() as place:
        encoders = {
            "MiniLM": DEFAULT_ENCODER,
            "BERT-base's shape": _base(Path(place), small=options.anywhere),
        }
        runs = {"fine-tuning": _fine_tuning, "meta-training": _meta_training}
        for (what, run), (name, encoder), compiled in product(runs.items(), encoders.items(), (False, True)):
            if torch.cuda.is_available():
                torch.cuda.reset_peak_memory_stats()
            timed = run(encoder, size, Path(place) / f"{what}-{len(lines)}", compiled)
            mode = "compiled" if compiled else "eager"
            lines.append(f"| {what} | {name} | {mode} | {_cells(timed, encoder, card)} |")
            print(lines[-1], flush=True)
    markdown = "\n".join(lines)
    if options.record and torch.cuda.is_available():
        record(f"On a GPU: {card}", this_command(), markdown)


def _base(place: Path, *, small: bool) -> str:
    """Store an encoder of BERT-base's shape with the bundled tokenizer."""
    folder = place / "bert-base"
    shape = {"num_hidden_layers": 1, "hidden_size": 96, "intermediate_size": 96} if small else {}
    new_encoder(BertConfig(**shape)).save_pretrained(folder)
    load_tokenizer(DEFAULT_ENCODER).save_pretrained(folder)
    return str(folder)


def _fine_tuning(encoder: str, size: Size, folder: Path, compiled: bool) -> Timed:
    """Fine-tune for three epochs; the first one gets things ready."""
    folder.mkdir()
    config = AgentConfig.model_validate(
        {
            "name": "gpu",
            "adapter": KIND,
            "labels": [f"class {i}" for i in range(_CLASSES)],
            "sources": [{"address": "rows.csv"}],
            "encoder": encoder,
            "max_length": 128,
            "tokens_per_batch": size.tokens,
            "precision": "bf16",
            "compiled": compiled,
            "epochs": 3,
            "patience": 3,
            "checkpoint_steps": 10**9,
        }
    )
    rows, tokens = _rows(size.rows)
    pq.write_table(rows, folder / "rows.parquet")
    encode_snapshot(config, folder / "rows.parquet", folder / "encoded")
    encoded = ArtifactRef(address=str(folder / "encoded"), digest=folder_ref(folder / "encoded").digest)
    job = TrainJob(config=config, encoded=encoded, rows=str(folder / "rows.parquet"), out=str(folder / "out"))
    first, *_, last = fine_tune(job).curve
    seconds, epochs = last.seconds - first.seconds, last.epoch - first.epoch
    return Timed(seconds / (last.step - first.step), epochs * size.rows / seconds, epochs * tokens / seconds)


def _rows(count: int) -> tuple[pa.Table, int]:
    """Make up texts, a few more for validation; give the sub-words of those to learn from, too."""
    words = [w for w in load_tokenizer(DEFAULT_ENCODER).get_vocab() if w.isalpha() and len(w) > 3]
    rng = np.random.default_rng(0)
    lengths = rng.integers(*_LENGTHS, count + _CLASSES)
    texts = [" ".join(rng.choice(words, n)) for n in lengths]
    labels = [f"class {i % _CLASSES}" for i in range(len(texts))]
    splits = ["train"] * count + ["validation"] * _CLASSES
    # Each word is one sub-word, and each text has two special ones.
    return pa.table({"text": texts, "label": labels, "split": splits}), int((lengths[:count] + 2).sum())


def _meta_training(encoder: str, size: Size, folder: Path, compiled: bool) -> Timed:
    """Take outer steps; the first third gets things ready."""
    del folder
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = load_encoder_model(encoder)
    torch.nn.Module.to(model, device)
    learner = make_learner("prototypical", {})
    plain = attends_plainly(learner, "bf16", device.type)
    networks, _ = build_networks(model, [KIND], "all", plain_attention=plain)
    pool = _pool()
    shape = EpisodeShape(n_way=_CLASSES, k_shot=5, n_query=5)

    def source(split: Split) -> Source:
        return Source(EpisodeSampler([pool], shape, seed=0, split=split), (Reader(pool, 0),))

    settings = MetaSettings(
        steps=size.steps,
        meta_batch_size=4,
        precision="bf16",
        compiled=compiled,
        validation_episodes=1,
        evaluate_steps=10**9,
    )
    seconds = [0.0]

    def show(now: Progress) -> None:
        if now.step == len(seconds):
            if device.type == "cuda":
                torch.cuda.synchronize()
            seconds.append(now.seconds)

    MetaTraining(
        Start(learner, networks, {}), Lessons(source("train"), source("validation")), settings, show=show
    ).run()
    ready, last = size.steps // 3, size.steps - 1
    each = (seconds[last] - seconds[ready]) / (last - ready)
    rows = np.concatenate([_rows_of(source("train"), step) for step in range(ready, last)])
    per_step = 1 / (last - ready) / each
    return Timed(each, len(rows) * per_step, float(pool.ids.lengths[rows].sum()) * per_step)


def _rows_of(source: Source, step: int) -> np.ndarray:
    """Give the rows of one outer step, each once: that is how often it is computed."""
    drawn = [side.rows for e in source.episodes(4 * step, 4) for side in (e.support, e.query)]
    found: np.ndarray = np.unique(np.concatenate(drawn))
    return found


def _pool() -> Pool:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(_CLASSES * 4), 50)
    lengths = rng.integers(*_LENGTHS, len(labels))
    return Pool(
        name="made up",
        domain="made up",
        kind=KIND,
        classes=tuple(f"class {i}" for i in range(_CLASSES * 4)),
        ids=Ragged.from_lengths(rng.integers(1000, 30000, lengths.sum()), lengths),
        labels=Ragged.from_lengths(labels, np.ones(len(labels), np.int64)),
        marks=np.zeros((len(labels), 0), np.int64),
        named=np.zeros(len(labels), bool),
    )


def _cells(timed: Timed, encoder: str, card: str) -> str:
    """Give a line's figures; six products a weight and sub-word, forward and backward."""
    matrices = sum(
        module.weight.numel()
        for module in load_encoder_model(encoder).modules()
        if isinstance(module, torch.nn.Linear)
    )
    peak = next((value for name, value in PEAKS.items() if name in card), None)
    share = f"{100 * 6 * matrices * timed.tokens / peak:.1f} %" if peak else "unknown card"
    memory = torch.cuda.max_memory_allocated() / 1e6 if torch.cuda.is_available() else 0.0
    return f"{1e3 * timed.seconds:.1f} | {timed.examples:,.0f} | {share} | {memory:,.0f}"


if __name__ == "__main__":
    main()
