"""Few-shot NER in five domains: a meta-learned start beside the plain encoder, both fine-tuned on a few rows.

`python -m benchmarks.crossner` (about an hour on two cores). For each CrossNER domain a start is meta-trained
on three other domains and WNUT17, stopped early on the remaining one; then start and plain encoder are
fine-tuned by the product's own function on greedy K~2K 5-shot supports over all types of the domain, drawn
from its training rows, and scored by strict F1 on its test rows. Settings are tried with `--score-on
validation`: supports and rows of the domain that stops the start. What is done is kept in `--folder`.
"""

import argparse
import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import xxhash

from benchmarks.crossner_data import (
    DOMAINS,
    SHOT,
    agent_of,
    crossner_rows,
    domain_pool,
    mentions,
    support,
    types_of,
)
from benchmarks.results import record, this_command
from benchmarks.wnut17_data import encoded_job, entity_counts, f1_of
from models.encoder import load_encoder
from models.episodes import EpisodeSampler, EpisodeShape, Kind, Pool, Split
from models.learners import make_learner
from models.meta.batches import Reader
from models.meta.loop import Keeping, Lessons, MetaTraining, Progress
from models.meta.mixed import attends_plainly
from models.meta.networks import build_networks, put_back
from models.meta.scoring import Source, Start
from models.meta.settings import MetaSettings
from models.predictor import Predictor
from models.pretrained import DEFAULT_ENCODER
from models.schemas import AgentConfig
from models.training.loop import fine_tune

KIND: Kind = "token_classification"
_DRAWS = 500
PLAIN = "plain encoder"


@dataclass(frozen=True)
class Rotation:
    """One domain to be tested on, the one that stops meta-training, and those that it learns from."""

    test: str
    validation: str
    train: tuple[str, ...]

    @classmethod
    def of(cls, domain: str) -> "Rotation":
        """Give the rotation that tests on a domain; the next one in the list is for validation."""
        place = DOMAINS.index(domain)
        after = [DOMAINS[(place + i) % len(DOMAINS)] for i in range(1, len(DOMAINS))]
        return cls(domain, after[0], (*after[1:], "wnut17"))

    def scored(self, on: str) -> tuple[str, str]:
        """Give the domain and the file whose rows are scored, on `test` or on `validation`."""
        return (self.test, "test") if on == "test" else (self.validation, "dev")


def main() -> None:
    """Meta-train, fine-tune, score, and tell."""
    options = _options()
    options.folder.mkdir(parents=True, exist_ok=True)
    lines = [
        "| domain | start | F1, all types | types shared with another domain | private types |",
        "|---|---|---|---|---|",
    ]
    gains = []
    for domain in options.domains:
        rotation, seeds, counts = Rotation.of(domain), range(options.seeds), {}
        for start in (PLAIN, *options.learners):
            counts[start] = np.stack([_of_seed(rotation, start, seed, options) for seed in seeds])
            lines.append(_line(rotation, start, counts[start], options))
            print(lines[-1], flush=True)
        gains.append(counts)
    lines += _over_all(gains, options)
    markdown = "\n".join([_conditions(options), "", *lines])
    print(markdown)
    if options.record:
        command = this_command()
        record("Few-shot NER across domains", command, markdown)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--domains", nargs="+", default=list(DOMAINS), choices=DOMAINS)
    parser.add_argument("--learners", nargs="+", default=["prototypical"])
    parser.add_argument("--outer", default="{}", help="numbers of the outer loop, JSON")
    parser.add_argument("--adapt", default="{}", help="fields of the agent's description, JSON")
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=1, help="of meta-training and fine-tuning")
    parser.add_argument("--score-on", default="test", choices=("validation", "test"))
    parser.add_argument("--folder", type=Path, default=Path(".few-shot-ner"), help="kept, and gone on with")
    parser.add_argument("--record", action=argparse.BooleanOptionalAction, default=True)
    return parser.parse_args()


def _outer(options: argparse.Namespace, seed: int) -> MetaSettings:
    values = {"steps": 150, "meta_batch_size": 1, "outer_lr": 3e-5, "validation_episodes": 60, "seed": seed}
    return MetaSettings.model_validate(values | json.loads(options.outer))


def _agent(domain: str, encoder: str, options: argparse.Namespace, seed: int) -> AgentConfig:
    values = {"epochs": 40, "learning_rate": 2e-4, "tokens_per_batch": 512, "checkpoint_steps": 10**6}
    changes = values | json.loads(options.adapt) | {"encoder": encoder, "seed": seed}
    return agent_of(domain, **changes, patience=changes["epochs"])


def _of_seed(rotation: Rotation, start: str, seed: int, options: argparse.Namespace) -> np.ndarray:
    """Count entities of each draw, row and type, (draws, rows, types, 3)."""
    return np.stack([_scored(rotation, start, seed, draw, options) for draw in range(options.draws)])


def _scored(rotation: Rotation, start: str, seed: int, draw: int, options: argparse.Namespace) -> np.ndarray:
    """Fine-tune on one support and count entities of each row and type, (rows, types, 3)."""
    outer = "" if start == PLAIN else options.outer
    domain, split = rotation.scored(options.score_on)
    examples, query = support(domain, draw, split), crossner_rows(domain, split)
    drawn = xxhash.xxh64_hexdigest(repr(examples["tokens"].to_pylist()).encode())[:8]
    asked = [start, seed, draw, options.score_on, outer, options.adapt, drawn]
    name = "-".join(str(x) for x in asked).replace('"', "").replace(" ", "")
    kept = options.folder / f"{rotation.test}-{name}.npy"
    if kept.exists():
        found: np.ndarray = np.load(kept, allow_pickle=False)
        return found
    encoder = DEFAULT_ENCODER if start == PLAIN else str(_start(rotation, start, seed, options))
    config = _agent(domain, encoder, options, seed)
    rows = pa.concat_tables(
        [
            t.append_column("split", pa.array([s] * len(t)))
            for s, t in (("train", examples), ("validation", examples), ("test", query.slice(0, 1)))
        ]
    )
    folder = options.folder / "fine-tuning"
    shutil.rmtree(folder, ignore_errors=True)
    trained = fine_tune(encoded_job(rows, config, folder))
    predicted = Predictor.load(Path(trained.model.address)).predict(query)
    found = np.stack([_counts(query, predicted, config, name) for name in config.labels], axis=1)
    np.save(kept, found)
    return found


def _counts(rows: pa.Table, predicted: pa.Table, config: AgentConfig, wanted: str) -> np.ndarray:
    """Count the entities of one type, (rows, 3): every other tag becomes O on both sides."""
    return entity_counts(_only(rows, wanted), _only(predicted, wanted), config)


def _only(table: pa.Table, wanted: str) -> pa.Table:
    tags = table["tags"].combine_chunks()
    values = tags.values.to_numpy(zero_copy_only=False)
    kept = np.where(np.isin(values, [f"B-{wanted}", f"I-{wanted}"]), values, "O")
    column = pa.ListArray.from_arrays(tags.offsets, pa.array(kept, pa.string()))
    return table.set_column(table.column_names.index("tags"), "tags", column)


def _range_of_mentions(options: argparse.Namespace) -> str:
    """Tell how many mentions types really have."""
    found = []
    for domain in options.domains:
        own, split = Rotation.of(domain).scored(options.score_on)
        supports = [support(own, draw, split) for draw in range(options.draws)]
        found += [mentions(rows, types_of(own)).sum(0) for rows in supports]
    each = np.concatenate(found)
    return (
        f"{each.min()} to {each.max()}; {100 * (each < SHOT).mean():.0f} % of types have fewer and "
        f"{100 * (each > 2 * SHOT).mean():.0f} % more"
    )


def _start(rotation: Rotation, name: str, seed: int, options: argparse.Namespace) -> Path:
    """Meta-train on the other domains and store the encoder."""
    settings, learner = _outer(options, seed), make_learner(name, {})
    digest = options.outer.replace('"', "").replace(" ", "")
    folder = options.folder / f"start-{rotation.test}-{name}-{seed}-{digest}"
    if (folder / "ready").exists():
        return folder
    encoder, tokenizer = load_encoder(DEFAULT_ENCODER)
    if learner.adapts_body:
        raise SystemExit(f"{name} adapts the body, which all layers make too slow; name another learner.")
    plain = attends_plainly(learner, settings.precision, "cpu")
    networks, _ = build_networks(encoder, [KIND], "all", plain_attention=plain)

    def source(domains: Sequence[str], shape: EpisodeShape, split: Split) -> Source:
        pools: list[Pool] = [domain_pool(domain) for domain in domains]
        sampler = EpisodeSampler(pools, shape, seed=seed if split == "train" else 0, split=split)
        return Source(sampler, tuple(Reader(pool, 0) for pool in pools))

    train = EpisodeShape(n_way=(5, 17), k_shot=(1, 5), n_query=3)
    judged = EpisodeShape(n_way=(5, 17), k_shot=SHOT, n_query=3)
    lessons = Lessons(
        source(rotation.train, train, "train"), source([rotation.validation], judged, "validation")
    )
    began = time.monotonic()
    result = MetaTraining(Start(learner, networks, {}), lessons, settings, Keeping(), _show).run()
    curve = [(p.step, round(p.validation_score, 4)) for p in result.state.curve]
    print(f"{folder.name}: {time.monotonic() - began:.0f} s, {curve}", flush=True)
    put_back(encoder, "all", {n: w for n, w in result.params.items() if n in networks[KIND].parameters})
    encoder.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "ready").touch()
    return folder


def _parts(domain: str) -> dict[str, np.ndarray]:
    """Give the types, shared ones and private ones, as masks over the domain's types."""
    own = types_of(domain)
    others = {name for other in (*DOMAINS, "wnut17") if other != domain for name in types_of(other)}
    shared = np.array([name in others for name in own])
    return {"all": np.ones(len(own), bool), "shared": shared, "private": ~shared}


def _line(rotation: Rotation, start: str, counts: np.ndarray, options: argparse.Namespace) -> str:
    domain, _ = rotation.scored(options.score_on)
    cells = [_told(counts[..., mask, :].sum(-2)) for mask in _parts(domain).values()]
    return f"| {domain} | {start} | {' | '.join(cells)} |"


def _told(counts: np.ndarray) -> str:
    """Give the mean F1 and its 95 % interval over seeds, draws and rows, (seeds, draws, rows, 3)."""
    found = [_mean_f1(counts, _Drawn.of(counts, np.random.default_rng(i))) for i in range(_DRAWS)]
    low, high = np.quantile(found, [0.025, 0.975])
    return f"{100 * f1_of(counts.sum(2)).mean():.1f} ({100 * low:.1f} to {100 * high:.1f})"


@dataclass(frozen=True)
class _Drawn:
    """What one draw of the bootstrap takes; every seed has the same supports and rows."""

    seeds: np.ndarray
    draws: np.ndarray
    rows: np.ndarray

    @classmethod
    def of(cls, counts: np.ndarray, rng: np.random.Generator) -> Self:
        return cls(*(rng.integers(size, size=size) for size in counts.shape[:3]))


def _mean_f1(counts: np.ndarray, drawn: _Drawn) -> float:
    weights = np.bincount(drawn.rows, minlength=counts.shape[2])
    found = f1_of(np.einsum("sdrc,r->sdc", counts, weights))
    return float(found[drawn.seeds[:, None], drawn.draws].mean())


def _over_all(gains: list[dict[str, np.ndarray]], options: argparse.Namespace) -> list[str]:
    """Give each start's gain over the plain encoder, the mean over domains, with its 95 % interval."""
    lines = []
    for start in options.learners:
        pairs = [(one[start].sum(-2), one[PLAIN].sum(-2)) for one in gains]
        means = np.mean([f1_of(a.sum(2)).mean() - f1_of(b.sum(2)).mean() for a, b in pairs])
        found = []
        for i in range(_DRAWS):
            rng = np.random.default_rng(i)
            chosen = [pairs[j] for j in rng.integers(len(pairs), size=len(pairs))]
            each = []
            for a, b in chosen:
                drawn = _Drawn.of(a, rng)
                each.append(_mean_f1(a, drawn) - _mean_f1(b, drawn))
            found.append(np.mean(each))
        low, high = 100 * np.quantile(found, [0.025, 0.975])
        lines += [
            "",
            f"{start} minus {PLAIN}, mean over domains: {100 * means:+.1f} ({low:+.1f} to {high:+.1f}).",
        ]
    return lines


def _conditions(options: argparse.Namespace) -> str:
    return (
        f"MiniLM; greedy supports of {SHOT} to {2 * SHOT} mentions of each type, where rows allow it "
        f"({_range_of_mentions(options)}), {options.draws} draws, "
        f"{options.seeds} seeds; scored on {options.score_on} rows. Meta-training: {_outer(options, 0)}. "
        f"Fine-tuning, the same for both: {options.adapt} over 40 epochs, rate 2e-4, 512 sub-words a batch. "
        "Intervals over seeds (where there are some), draws and rows; over all also over domains."
    )


def _show(progress: Progress) -> None:
    if progress.step and progress.step % 20 == 0:
        print(f"  {progress.step}/{progress.steps} {progress.loss:.4f} {progress.seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
