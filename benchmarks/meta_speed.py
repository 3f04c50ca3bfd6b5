"""Seconds of an outer step of MAML and ANIL beside TorchOpt, higher and plain loops; runs alternate.

`python -m benchmarks.meta_speed` (about twenty minutes on two cores). Same encoder (MiniLM), episodes (4 of
5-way 5-shot with 5 queries a class, BANKING77), update (3 inner steps, second order) and attention.
Each run has a process of its own; the rivals live in an environment of their own (`benchmarks/peers.py`).
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from benchmarks.intents import KIND, class_split
from benchmarks.peer_speed import INNER_STEPS, RATE, STEPS, TOP_LAYERS
from benchmarks.peers import META_LEARNING, make_environment
from benchmarks.results import record, this_command
from models.encoder import encoder_folder, load_encoder_model
from models.episodes import EpisodeSampler, EpisodeShape
from models.learners import Inputs
from models.learners.anil import ANIL
from models.learners.base import Embedded
from models.learners.gradient import GradientLearner
from models.learners.maml import MAML
from models.meta.batches import Reader, stacked
from models.meta.lessons import States
from models.meta.mixed import InBfloat16
from models.meta.networks import build_networks
from models.meta.packing import NO_ROW, Packing
from models.meta.scoring import Source, embed_pool
from models.pretrained import DEFAULT_ENCODER

META_BATCH, META_TRAINING = 4, 400
"""Episodes of an outer step, and outer steps of the meta-training that the cold pass is spread over."""
OURS = {"ours": MAML, "ours_padded": MAML, "ours_bf16": MAML, "anil_ours": ANIL, "anil_ours_bf16": ANIL}
SHAPE = EpisodeShape(n_way=5, k_shot=5, n_query=5)
BARS = {"higher": 2.0, "torchopt": 2.0, "plain": 2.0, "anil_kept": 3.0, "anil_plain": 100.0}


@dataclass(frozen=True)
class Padded(Reader):
    """A reader that leaves each row a sequence of its own, padded to the longest, as the rivals do."""

    def inputs(self, rows: np.ndarray, length: int) -> Inputs:
        """Give what `Reader` gives, without packing."""
        if self.kept is None:
            return super().inputs(rows, length)
        lengths = self.pool.ids.lengths[rows]
        places = np.arange(length) < lengths[:, None]
        segments = np.where(places, np.arange(len(rows))[:, None], NO_ROW)
        within = np.minimum(np.arange(length), lengths[:, None] - 1)
        packing = Packing(segments, length * np.arange(len(rows))[:, None] + within)
        mask, marks = torch.from_numpy(places.astype(np.float32)), torch.from_numpy(self.pool.marks[rows])
        return self.kept.packed(rows, packing), mask, marks, *packing.inputs


def main() -> None:
    """Run every variant in turn, and record the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--record", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--variants", nargs="+", default=[*OURS, *STEPS], choices=[*OURS, *STEPS])
    parser.add_argument("--one", choices=OURS, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        options.out.write_text(json.dumps(_time_ours(options.one, options.out.with_suffix(".npy"))), "utf-8")
        return
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        _store_episodes(folder / "episodes.npz", max(STEPS.values()) + 1)
        python = make_environment(folder / "peers", *META_LEARNING)
        runs: dict[str, list[dict]] = {}
        for turn in range(options.rounds):
            names = options.variants
            for name in names[turn:] + names[:turn]:
                runs.setdefault(name, []).append(_run(name, folder, python))
                print(name, f"{np.median(runs[name][-1]['seconds']):.4f} s", flush=True)
    markdown = _report(runs)
    print(markdown)
    if options.record:
        record(
            "Meta-learning speed",
            this_command(),
            markdown,
        )


def _run(name: str, folder: Path, python: Path) -> dict:
    out = folder / "out.json"
    if name in OURS:
        command = [sys.executable, "-m", "benchmarks.meta_speed", "--one", name, "--out", str(out)]
    else:
        script = Path(__file__).with_name("peer_speed.py")
        encoder = str(encoder_folder(DEFAULT_ENCODER))
        command = [str(python), str(script), name, encoder, str(folder / "episodes.npz"), str(out)]
    subprocess.run(command, check=True)
    return json.loads(out.read_text("utf-8")) | {"gradient": np.load(out.with_suffix(".npy"))}


def _source() -> Source:
    pool = class_split("banking77", "01")["train"]
    return Source(EpisodeSampler([pool], SHAPE, seed=0, split="train"), (Reader(pool, 0),))


def _store_episodes(path: Path, steps: int) -> None:
    source, arrays = _source(), {}
    every = source.readers[0].pool.ids
    arrays["rows_ids"] = every.padded(np.arange(len(every.lengths)), 0)
    arrays["rows_mask"] = (np.arange(arrays["rows_ids"].shape[1]) < every.lengths[:, None]).astype(np.int64)
    for step in range(steps):
        batch = stacked(source.episodes(step * META_BATCH, META_BATCH), source.readers)
        for place in range(META_BATCH):
            for side in ("support", "query"):
                shots = getattr(batch, side)
                arrays[f"{step}_{place}_{side}_ids"] = shots.inputs[0][place].numpy()
                arrays[f"{step}_{place}_{side}_mask"] = shots.inputs[1][place].numpy().astype(np.int64)
                arrays[f"{step}_{place}_{side}_targets"] = shots.targets[place].numpy()
    np.savez(path, steps=steps, episodes=META_BATCH, **arrays)


def _time_ours(name: str, first_gradient: Path) -> dict:
    """Time the product's own code: what lies below the learned part once for all rows, then outer steps."""
    learner: GradientLearner = OURS[name](inner_lr=RATE, inner_steps=INNER_STEPS, head="learned", n_way=5)
    source = _source()
    reader = source.readers[0]
    encoder = load_encoder_model(DEFAULT_ENCODER)
    bfloat16 = name.endswith("bf16")
    layers = TOP_LAYERS if learner.adapts_body else "none"
    plain = learner.adapts_body or bfloat16
    networks, below = build_networks(encoder, [KIND], layers, plain_attention=plain)
    network = networks[KIND]
    params = learner.begin(network)
    began = time.perf_counter()
    kept = States(0, below, bfloat16=bfloat16).reader(reader.pool)
    readers: tuple = (Padded(**vars(kept)) if name == "ours_padded" else kept,)
    if not learner.adapts_body:
        readers, network = (embed_pool(network, params, kept),), Embedded(network)
    elif bfloat16:
        network = InBfloat16(network, "cpu")
    cold = time.perf_counter() - began
    seconds = []
    for step in range(STEPS["plain" if learner.adapts_body else "anil_kept"] + 1):
        began = time.perf_counter()
        batch = stacked(source.episodes(step * META_BATCH, META_BATCH), readers)
        found = learner.meta_gradient(network, params, batch)
        seconds.append(time.perf_counter() - began)
        if step == 0:
            np.save(first_gradient, torch.cat([g.flatten() for g in found.gradients.values()]).numpy())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds[1:], "megabytes": peak, "cold": cold}


def _report(runs: dict[str, list[dict]]) -> str:
    """Tell seconds a step, ratios round by round, memory, and whether the updates are the same."""
    lines = [
        f"MiniLM, {META_BATCH} episodes of 5-way 5-shot with 5 queries a class, {INNER_STEPS} inner steps, "
        f"second order. A step of ours and of `anil_kept` holds 1/{META_TRAINING} of the cold pass over the "
        f"split's rows (a meta-training of {META_TRAINING} steps); ours holds drawing and stacking the "
        "episodes, too. ANIL here learns the head's start on a body that stays as it is. The rivals pad rows "
        "to the longest of their episodes, and so does `ours_padded`; ours stand end to end. `_bf16` is what "
        "a meta-training does by default on a processor that multiplies bf16; all others compute in fp32. "
        "Distances between updates are shares of their length.",
        "",
        "| variant | seconds a step | ours is faster by (each round) | ours padded by | ours in bf16 by | "
        "bar | peak MB | update apart by |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, found in runs.items():
        own = "anil_ours" if name.startswith("anil") else "ours"
        took = _steps(found)
        ways = ("", "_padded", "_bf16")
        ratios = ["" if name in OURS else _ratio(took, runs, own + way) for way in ways]
        theirs, mine = found[0]["gradient"], runs[own][0]["gradient"]
        apart = np.linalg.norm(theirs - mine) / np.linalg.norm(mine)
        memory = np.median([run["megabytes"] for run in found])
        bar = f"{BARS[name]:g} x" if name in BARS else ""
        cells = [name, f"{np.median(took):.4f}", *ratios, bar, f"{memory:.0f}", f"{apart:.1e}"]
        lines.append(f"| {' | '.join(cells)} |")
    cold = {name: float(np.median([run["cold"] for run in found])) for name, found in runs.items()}
    told = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in cold.items() if seconds)
    lines += ["", f"Cold pass: {told}."]
    return "\n".join(lines)


def _ratio(took: np.ndarray, runs: dict[str, list[dict]], own: str) -> str:
    """Tell how often a step of ours fits in one of theirs; empty where ours was not run."""
    if own not in runs:
        return ""
    each = took / _steps(runs[own])
    return f"{np.median(each):.2f} x ({', '.join(f'{r:.2f}' for r in each)})"


def _steps(runs: list[dict]) -> np.ndarray:
    return np.array([np.median(run["seconds"]) + run["cold"] / META_TRAINING for run in runs])


if __name__ == "__main__":
    main()
