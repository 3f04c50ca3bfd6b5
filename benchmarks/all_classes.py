"""All classes of BANKING77, or of CLINC150, at once from 5 or 10 examples each; meta-trained on the other.

`python -m benchmarks.all_classes` (about an hour on two cores). A prototypical network learns on four fifths
of the other data set's classes and stops early on the rest, on which head and names were chosen as well
(`--score-on validation`). For BANKING77 there is one more, which learns without CLINC150's domains of banks
and credit cards. Supports are the published file and five more draws; the interval is a bootstrap over
supports and test rows. What is done is kept in `--folder`.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import xxhash
from safetensors.torch import load_file, save_file

from benchmarks.all_classes_heads import ANIL, HEADS, Rows, right
from benchmarks.intents import DATA, KIND, few_shot_file, intents
from benchmarks.results import record, this_command
from models.encoder import load_encoder_model
from models.episodes import EpisodeSampler, EpisodeShape, Pool
from models.learners import make_learner
from models.meta.batches import Reader
from models.meta.loop import Keeping, Lessons, MetaTraining
from models.meta.mixed import attends_plainly
from models.meta.networks import build_networks
from models.meta.scoring import Source, Start, embed_pool
from models.meta.settings import MetaSettings
from models.pretrained import DEFAULT_ENCODER

PUBLISHED = {"banking77": "84.0 / 89.8 (ICDA)", "clinc150": "92.6 / 94.8 (ICDA)"}
_VALIDATION_SHARE, _DRAWS, _MORE_SUPPORTS = 5, 2000, 5
MONEY = (
    "account_blocked", "apr", "application_status", "balance", "bill_balance", "bill_due",
    "card_declined", "credit_limit", "credit_limit_change", "credit_score", "damaged_card",
    "expiration_date", "freeze_account", "improve_credit_score", "interest_rate", "international_fees",
    "min_payment", "new_card", "order_checks", "pay_bill", "pin_change", "redeem_rewards",
    "replacement_card_duration", "report_fraud", "report_lost_card", "rewards_balance", "routing",
    "spending_history", "transactions", "transfer",
)  # fmt: skip
"""CLINC150's classes of the domains `banking` and `credit_cards`, 15 each."""


@dataclass(frozen=True)
class Question:
    """Rows to learn from, and rows to be asked about."""

    support: Rows
    query: Rows

    @classmethod
    def of(cls, pool: Pool, chosen: np.ndarray, query: Rows, asked: "Try") -> "Question":
        """Take some rows of a pool as the support, with its names if they are asked for."""
        rows = np.concatenate([chosen, np.flatnonzero(pool.named)]) if asked.names else chosen
        features = _embedded(pool, asked.params)
        return cls(Rows(features[rows], pool.labels.values[rows]), query)


def main() -> None:
    """Train on one data set, try on the other, and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", nargs="+", default=list(DATA), choices=DATA, help="what is tried")
    parser.add_argument("--settings", default="{}", help="numbers of the outer loop, JSON")
    parser.add_argument("--shot", default="1", help="shots of a training episode, a number or low-high")
    parser.add_argument("--way", type=int, default=15)
    parser.add_argument("--names", action="store_true", help="names in the training episodes' support")
    parser.add_argument("--heads", nargs="+", default=list(HEADS), choices=HEADS)
    parser.add_argument("--score-on", default="test", choices=("validation", "test"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=Path(".few-shot"), help="kept, and gone on with")
    parser.add_argument("--record", action=argparse.BooleanOptionalAction, default=True)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    lines = [
        "| data | encoder | names in the support | head | 5 a class | 10 a class | 5, transductive | "
        "10, transductive | published |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for data in options.data:
        other = _other(data)
        encoders = {"plain": None, f"meta-trained on {other}": _trained(other, (), options)}
        if data == "banking77":
            encoders["the same without banks and credit cards"] = _trained(other, MONEY, options)
        for name, params in encoders.items():
            lines += _rows(data, name, params, options)
            print(*lines[-len(options.heads) * 2 :], sep="\n", flush=True)
    markdown = "\n".join([_described(options), "", *lines])
    print(markdown)
    if options.record:
        record(
            "All classes at once",
            this_command(),
            markdown,
        )


def _described(options: argparse.Namespace) -> str:
    return (
        f"MiniLM, prototypical, {options.way}-way {options.shot}-shot episodes, seed {options.seed}, "
        f"settings {options.settings}, names in training: {options.names}. Scored on {options.score_on}. "
        "Transductive: all rows that are asked about are seen together (self-training); their answers hang "
        "together, so those intervals are too narrow."
    )


@dataclass(frozen=True)
class Try:
    """What is scored: a data set, by an encoder, with or without classes' names in the support."""

    data: str
    params: dict | None
    names: bool
    score_on: str

    def questions(self, shot: int) -> Iterator[Question]:
        """Yield one support after the other."""
        if self.score_on == "test":
            return _test_questions(self.data, shot, self)
        return _validation_questions(_other(self.data), shot, self)


def _rows(data: str, encoder: str, params: dict | None, options: argparse.Namespace) -> list[str]:
    """Score every head with and without names in the support."""
    lines = []
    for names in (False, True):
        asked = Try(data, params, names, options.score_on)
        found = [list(asked.questions(shot)) for shot in (5, 10)]
        for head in options.heads:
            cells = []
            for transductive in (False, True):
                for questions in found:
                    if transductive and head != ANIL:
                        cells.append("-")
                        continue
                    asked_about = [
                        right(head, q.support, q.query, transductive=transductive) for q in questions
                    ]
                    cells.append(_told(np.array(asked_about)))
            words = "yes" if names else "no"
            lines.append(f"| {' | '.join([data, encoder, words, head, *cells, PUBLISHED[data]])} |")
    return lines


def _other(data: str) -> str:
    return next(one for one in DATA if one != data)


@cache
def _split(data: str, left_out: tuple[str, ...] = ()) -> tuple[Pool, Pool]:
    """Give four fifths of the classes for training, and the others for validation."""
    pool = intents(data)
    if lacking := set(left_out) - set(pool.classes):
        raise SystemExit(f"{data} has no classes {', '.join(sorted(lacking))} to leave out.")
    held = pool.classes[::_VALIDATION_SHARE]
    train = [c for c in pool.classes if c not in {*held, *left_out}]
    return pool.restricted(train), pool.restricted([c for c in held if c not in left_out])


def _trained(data: str, left_out: tuple[str, ...], options: argparse.Namespace) -> dict:
    """Give the meta-parameters learned on a data set without some of its classes."""
    low, _, high = options.shot.partition("-")
    shot = (int(low), int(high)) if high else int(low)
    words = json.dumps([options.settings, options.way, options.shot, options.names, options.seed, *left_out])
    kept = options.folder / f"all-{data}-{xxhash.xxh64_hexdigest(words.encode())}.safetensors"
    if kept.exists():
        return load_file(kept)
    learner = make_learner("prototypical", {})
    settings = MetaSettings.model_validate({**json.loads(options.settings), "seed": options.seed})
    plain = attends_plainly(learner, settings.precision, "cpu")
    networks, _ = build_networks(load_encoder_model(DEFAULT_ENCODER), [KIND], "all", plain_attention=plain)
    train, validation = _split(data, left_out)

    def source(pool: Pool, shape: EpisodeShape, split: str, seed: int) -> Source:
        return Source(EpisodeSampler([pool], shape, seed=seed, split=split), (Reader(pool, 0),))

    shape = EpisodeShape(n_way=options.way, k_shot=shot, n_query=5, names=options.names)
    judged = EpisodeShape(n_way=min(30, len(validation.classes)), k_shot=5, n_query=5, names=options.names)
    lessons = Lessons(
        source(train, shape, "train", options.seed), source(validation, judged, "validation", 0)
    )
    keeping = Keeping(kept.with_suffix(".checkpoints"), kept.stem)
    result = MetaTraining(Start(learner, networks, {}), lessons, settings, keeping).run()
    curve = [(p.step, round(p.validation_score, 4)) for p in result.state.curve]
    print(f"{kept.stem}: {len(train.classes)} classes, {result.seconds:.0f} s, {curve}", flush=True)
    save_file(result.params, kept)
    return result.params


_FEATURES: dict[tuple[int, int], tuple[object, ...]] = {}
"""What was embedded, with the pool and the weights themselves, so that no other takes their identities."""


def _embedded(pool: Pool, params: dict | None) -> np.ndarray:
    """Give the features of all rows, (rows, dim); each pool is run once by each encoder."""
    key = (id(pool), id(params))
    if key not in _FEATURES:
        _FEATURES[key] = (_run(pool, params), pool, params)
    return _FEATURES[key][0]


def _run(pool: Pool, params: dict | None) -> np.ndarray:
    networks, _ = build_networks(load_encoder_model(DEFAULT_ENCODER), [KIND], "all", plain_attention=False)
    network = networks[KIND]
    own = {name: (params or network.parameters)[name] for name in network.parameters}
    reader = embed_pool(network, own, Reader(pool, 0))
    return reader.inputs(np.arange(len(pool)), 1)[0].numpy()


def _test_questions(data: str, shot: int, asked: Try) -> Iterator[Question]:
    """Yield the published support and more draws from the other rows, each with the test rows."""
    test, published, everything = (
        few_shot_file(data, "test"),
        few_shot_file(data, f"train_{shot}"),
        intents(data),
    )
    if not test.classes == published.classes == everything.classes:
        raise SystemExit(f"The files of {data} name different classes.")
    features = _embedded(test, asked.params)[~test.named]
    query = Rows(features, test.labels.values[~test.named])
    yield Question.of(published, np.flatnonzero(~published.named), query, asked)
    free = ~np.isin(_keys(everything), _keys(test)) & ~everything.named
    for draw in range(_MORE_SUPPORTS):
        yield Question.of(everything, _drawn(everything, free, shot, draw), query, asked)


def _validation_questions(data: str, shot: int, asked: Try) -> Iterator[Question]:
    """Yield draws of the held-out classes of the data set that was learned from."""
    _, pool = _split(data)
    features = _embedded(pool, asked.params)
    for draw in range(1 + _MORE_SUPPORTS):
        chosen = _drawn(pool, ~pool.named, shot, draw)
        rest = np.setdiff1d(np.flatnonzero(~pool.named), chosen)
        yield Question.of(pool, chosen, Rows(features[rest], pool.labels.values[rest]), asked)


def _keys(pool: Pool) -> np.ndarray:
    """Hash each row's sub-words."""
    edges = pool.ids.offsets
    return np.array(
        [xxhash.xxh64_intdigest(pool.ids.values[a:b].tobytes()) for a, b in pairwise(edges.tolist())],
        np.uint64,
    )


def _drawn(pool: Pool, free: np.ndarray, shot: int, seed: int) -> np.ndarray:
    rng, labels = np.random.default_rng(seed), pool.labels.values
    rows = (np.flatnonzero(free & (labels == c)) for c in range(len(pool.classes)))
    return np.concatenate([rng.choice(own, shot, replace=False) for own in rows])


def _told(right: np.ndarray) -> str:
    """Give mean and 95 % interval by a bootstrap of supports and rows, (supports, rows)."""
    rng, (supports, rows) = np.random.default_rng(0), right.shape
    drawn = [
        right[rng.integers(supports, size=supports)][:, rng.integers(rows, size=rows)].mean()
        for _ in range(_DRAWS)
    ]
    mean, first = 100 * right.mean(), 100 * right[0].mean()
    low, high = 100 * np.quantile(drawn, [0.025, 0.975])
    return f"{mean:.2f} ({low:.2f} to {high:.2f}; published file {first:.2f})"


if __name__ == "__main__":
    main()
