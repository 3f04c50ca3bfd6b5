"""All classes of BANKING77 and CLINC150 from 5 examples each: SetFit, frozen embeddings, adapted starts.

`python -m benchmarks.beside_setfit` (about an hour and a half on two cores, nearly all of it SetFit's). Same
encoder (MiniLM), published few-shot file, test rows and machine; SetFit 1.2.0 has an environment of its own,
and its documentation's settings: batches of 16, `num_iterations=20`. Ours is the product's path from texts to
a predictor. Seconds are of the adaptation alone; methods take turns.
"""

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
from sklearn.linear_model import LogisticRegression

from benchmarks.intents import DATA, few_shot_path, few_shot_rows
from benchmarks.peers import SETFIT, make_whole_environment
from benchmarks.results import record, this_command
from models.adapters import get_adapter
from models.embed import embed
from models.encoder import encoder_folder, load_encoder
from models.meta.adapting import Adaptation, read_examples
from models.meta.store import StoredStart, load_start, plain_start, save_start
from models.predictor import Predictor
from models.pretrained import DEFAULT_ENCODER
from models.schemas import AgentConfig
from models.schemas.start import StartConfig
from models.task_model import SavedAgent

SHOT = 5
_DRAWS = 2000
_HEAD = {
    "learner": "anil",
    "learner_settings": {"inner_lr": 100.0, "inner_steps": 100, "scale": 5.0},
    "names": True,
}
"""Chosen for each data set on classes of the other one, of which the encoder had seen none."""


@dataclass(frozen=True)
class Found:
    """One adaptation: its seconds, and which test rows it answered right, (rows,)."""

    seconds: float
    right: np.ndarray


def main() -> None:
    """Adapt by every method in turn, and record the table."""
    options = _options()
    lines = [
        "| data | method | accuracy | seconds to adapt | minus SetFit's accuracy | of SetFit's time |",
        "|---|---|---|---:|---|---:|",
    ]
    with tempfile.TemporaryDirectory() as place:
        python = make_whole_environment(options.environment or Path(place) / "setfit", *SETFIT)
        starts = {"ours, start not meta-trained": _plain(Path(place) / "plain")}
        starts |= {f"ours, {folder.name}": load_start(folder) for folder in options.starts}
        for data in options.data:
            methods: dict[str, Callable[[], Found]] = {
                "SetFit": partial(_setfit, python, data, Path(place), options.seed),
                "frozen, logistic regression": partial(_logistic, data),
                **{name: partial(_ours, data, start) for name, start in starts.items()},
            }
            found: dict[str, list[Found]] = {}
            for run in range(options.runs):
                for name, method in methods.items():
                    if run == 0 or name != "SetFit":
                        found.setdefault(name, []).append(method())
            lines += _lines(data, found)
            print(*lines[-len(found) :], sep="\n", flush=True)
    markdown = "\n".join([_conditions(options), "", *lines])
    print(markdown)
    if options.record:
        record(
            f"Beside SetFit: {', '.join(options.data)}",
            this_command(),
            markdown,
        )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", nargs="+", default=list(DATA), choices=DATA)
    parser.add_argument("--starts", nargs="*", type=Path, default=[], help="folders of stored starts")
    parser.add_argument("--runs", type=int, default=3, help="of each method; SetFit has one")
    parser.add_argument("--seed", type=int, default=0, help="of SetFit")
    parser.add_argument("--environment", type=Path, help="SetFit's own, made if it is not there")
    parser.add_argument("--record", action=argparse.BooleanOptionalAction, default=True)
    return parser.parse_args()


def _setfit(python: Path, data: str, place: Path, seed: int) -> Found:
    script, out = Path(__file__).with_name("setfit_rival.py"), place / "setfit.json"
    files = [str(few_shot_path(data, name)) for name in (f"train_{SHOT}", "test")]
    encoder = str(encoder_folder(DEFAULT_ENCODER))
    subprocess.run([str(python), str(script), encoder, *files, str(out), str(seed)], check=True)
    told = json.loads(out.read_text("utf-8"))
    return Found(told["seconds"], np.array(told["right"], bool))


def _logistic(data: str) -> Found:
    rows, test = (few_shot_rows(data, name) for name in (f"train_{SHOT}", "test"))
    encoder, tokenizer = load_encoder(DEFAULT_ENCODER)
    began = time.perf_counter()
    model = LogisticRegression(C=10.0, max_iter=1000)
    model.fit(_unit(embed(rows["text"].to_pylist(), encoder, tokenizer)), rows["label"].to_pylist())
    seconds = time.perf_counter() - began
    predicted = model.predict(_unit(embed(test["text"].to_pylist(), encoder, tokenizer)))
    return Found(seconds, predicted == test["label"].to_numpy(zero_copy_only=False))


def _unit(features: np.ndarray) -> np.ndarray:
    found: np.ndarray = features / np.linalg.norm(features, axis=1, keepdims=True)
    return found


def _ours(data: str, start: StoredStart) -> Found:
    rows, test = (few_shot_rows(data, name) for name in (f"train_{SHOT}", "test"))
    labels = sorted(set(rows["label"].to_pylist()))
    source = {"address": "rows.csv"}
    values = {"name": data, "adapter": "text_classification", "labels": labels, "sources": [source]}
    config = AgentConfig.model_validate({**values, "max_length": 64, "stride": 0, "unit_features": True})
    began = time.perf_counter()
    adapter = get_adapter(config)
    examples = read_examples(rows, adapter, start.tokenizer, names=start.config.names)
    model = Adaptation.of(start, examples, config.labels).model(np.arange(len(examples.rows)))
    predictor = Predictor(SavedAgent(model, start.tokenizer, config), adapter)
    seconds = time.perf_counter() - began
    predicted = predictor.predict(test["text"].to_pylist())
    return Found(seconds, pc.equal(predicted["label"], test["label"]).to_numpy(zero_copy_only=False))


def _plain(folder: Path) -> StoredStart:
    """Give the pretrained encoder as a start: nothing is learned but by the examples."""
    source = {"adapter": "text_classification", "source": {"address": "rows.csv"}}
    save_start(
        folder, plain_start(StartConfig.model_validate({"name": "plain", "sources": [source], **_HEAD}))
    )
    return load_start(folder)


def _lines(data: str, found: dict[str, list[Found]]) -> list[str]:
    rival = found["SetFit"][0]
    lines = []
    for name, runs in found.items():
        seconds = float(np.median([run.seconds for run in runs]))
        apart = "-" if runs[0] is rival else _interval(runs[0].right.astype(float) - rival.right)
        lines.append(
            f"| {data} | {name} | {_interval(runs[0].right.astype(float))} | {seconds:.1f} | {apart} | "
            f"{100 * seconds / rival.seconds:.2f} % |"
        )
    return lines


def _interval(values: np.ndarray) -> str:
    rng = np.random.default_rng(0)
    means = [values[rng.integers(len(values), size=len(values))].mean() for _ in range(_DRAWS)]
    low, high = 100 * np.quantile(means, [0.025, 0.975])
    return f"{100 * values.mean():.2f} ({low:.2f} to {high:.2f})"


def _conditions(options: argparse.Namespace) -> str:
    return (
        f"MiniLM, the published files of {SHOT} examples a class, all classes, all test rows; 95 % intervals "
        f"by a bootstrap of rows. SetFit: batches of 16, num_iterations=20, seed {options.seed}, once; the "
        f"others the median of {options.runs}. Ours: ANIL, 100 steps of its head on texts and classes' names."
    )


if __name__ == "__main__":
    main()
