"""5-way accuracy of learners on classes that they never saw: BANKING77, CLINC150 and FewRel.

`python -m benchmarks.few_shot` meta-trains each method on each split of a data set (the five published class
splits of the intents; Wikipedia and news to PubMed for FewRel) with each seed, scores 600 episodes each, and
compares with the encoder as it is: prototypes, and logistic regression on frozen features. Settings are tried
with `--score-on validation`. What is done is kept in `--folder`, so that a run that is cut off goes on.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from benchmarks.few_shot_runs import Exam, FewShot, Pools, Recipe, Run
from benchmarks.fewrel import fewrel
from benchmarks.intents import SPLITS, class_split
from benchmarks.results import record, this_command

PUBLISHED = {
    "banking77": "91.2 / 96.4 (ContrastNet, 5 queries); 89.18 / 94.77 (LAQDA, 25 queries, transductive)",
    "clinc150": "96.6 / 98.5 (ContrastNet, 5 queries); 96.49 / 98.74 (ProtAugment, 5 queries); "
    "96.98 / 98.58 (LAQDA, 25 queries, transductive)",
    "fewrel": "56.3 / 67.4 (BERT-PAIR, trained on 64 relations), 40.1 / 51.5 (Proto-BERT)",
}
SHOTS = (1, 5)
_DRAWS = 2000
_OUTER = {"steps": 150, "meta_batch_size": 1, "outer_lr": 3e-5}
_TWO_LAYERS = {"steps": 100, "meta_batch_size": 4, "outer_lr": 1e-4}
_OWN = {"learner_lr": 1e-3}
"""For learners whose own numbers are what they are about: inner rates, a penalty."""
_RIDGE_HEAD = ", then a ridge head"
METHODS: dict[str, Recipe] = {
    "plain": Recipe(settings={"steps": 0}),
    "prototypical": Recipe(settings=_OUTER),
    "prototypical, names": Recipe(names=True, settings=_OUTER),
    f"prototypical{_RIDGE_HEAD}": Recipe(settings=_OUTER),
    "ridge": Recipe("ridge", settings=_OUTER | _OWN),
    "anil": Recipe("anil", settings=_OUTER),
    "maml": Recipe("maml", layers=2, train_way=5, settings=_TWO_LAYERS),
    "first-order maml": Recipe("maml", {"first_order": True}, 2, train_way=5, settings=_TWO_LAYERS),
    "reptile": Recipe("reptile", layers=2, train_way=5, settings=_TWO_LAYERS),
    "imaml": Recipe("imaml", layers=2, train_way=5, settings=_TWO_LAYERS),
    "meta_sgd": Recipe("meta_sgd", layers=2, train_way=5, settings=_TWO_LAYERS | _OWN),
    "fine_tune": Recipe("fine_tune", layers=2, train_way=5, settings={"steps": 0}),
}
"""`plain` is the encoder as it is with prototypes; `fine_tune`, the control, adapts its top two layers."""


def main() -> None:
    """Train, score, and tell."""
    options = _options()
    runs = FewShot(options.folder, _pools)
    tables = [table for data in options.data for table in _of_data(runs, data, options)]
    markdown = "\n\n".join([_conditions(options), *tables])
    print(markdown)
    if options.record:
        record(
            f"Few-shot{options.about}: {', '.join(options.data)}",
            this_command(),
            markdown,
        )


def _pools(data: str, split: str) -> Pools:
    return fewrel(split) if data == "fewrel" else class_split(data, split)


def _splits(data: str, options: argparse.Namespace) -> Sequence[str]:
    """Give the splits that are asked for; FewRel has but one."""
    return SPLITS[:1] if data == "fewrel" else options.splits


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", nargs="+", default=list(PUBLISHED), choices=PUBLISHED)
    parser.add_argument("--splits", nargs="+", default=list(SPLITS), choices=SPLITS)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--methods", nargs="+", default=["plain", "prototypical"], choices=METHODS)
    parser.add_argument(
        "--change", default="{}", help="other numbers of the outer loop, JSON, for all methods"
    )
    parser.add_argument("--way", type=int, help="classes of a training episode, for all methods")
    parser.add_argument("--shot", type=int, help="shots of a training episode, for all methods")
    parser.add_argument("--episodes", type=int, default=600)
    parser.add_argument("--queries", type=int, default=25, help="a class, when scored")
    parser.add_argument("--about", default="", help="what the section's title says of this table")
    parser.add_argument("--score-on", default="test", choices=("validation", "test"))
    parser.add_argument("--folder", type=Path, default=Path(".few-shot"), help="kept, and gone on with")
    parser.add_argument("--record", action=argparse.BooleanOptionalAction, default=True)
    return parser.parse_args()


def _of_data(runs: FewShot, data: str, options: argparse.Namespace) -> list[str]:
    """Give the table of one data set; it is printed as far as it has come after every method."""
    lines = [
        f"{data}; best published {PUBLISHED[data]}",
        "",
        "| method | seeds | 1-shot | 5-shot | 1-shot, transductive | 5-shot, transductive |",
        "|---|---:|---|---|---|---|",
    ]
    frozen = [
        np.array([[_logistic(runs, data, split, shot, options)] for split in _splits(data, options)])
        for shot in SHOTS
    ]
    lines.append(f"| frozen, logistic regression | - | {_told(frozen[0])} | {_told(frozen[1])} | - | - |")
    for method in options.methods:
        named = _pools(data, SPLITS[0])[options.score_on].named.any()
        for names in (False, True) if named else (False,):
            seeds, cells = _cells(runs, data, method, names, options)
            title = method + " + names in the support" * names
            lines.append(f"| {title} | {seeds} | {' | '.join(cells)} |")
            print(lines[-1], flush=True)
    return ["\n".join(lines)]


def _cells(
    runs: FewShot, data: str, method: str, names: bool, options: argparse.Namespace
) -> tuple[int, list[str]]:
    """Score a method: 1 and 5 shots, then both with the queries seen together."""
    recipe = _changed(METHODS[method], options)
    seeds = 1 if not recipe.settings.get("steps", 1) else options.seeds
    cells = []
    for transductive in (False, True):
        for shot in SHOTS:
            head = "ridge" if method.endswith(_RIDGE_HEAD) else None
            if transductive and (head or recipe.learner != "prototypical"):
                cells.append("-")
                continue
            exam = Exam(options.score_on, shot, options.queries, options.episodes, names, transductive, head)
            found = [
                [runs.scores(Run(recipe, data, split, seed), exam) for seed in range(seeds)]
                for split in _splits(data, options)
            ]
            cells.append(_told(np.array(found)))
    return seeds, cells


def _changed(recipe: Recipe, options: argparse.Namespace) -> Recipe:
    """Give a recipe with what the command line asks for; one without steps stays."""
    if not recipe.settings.get("steps", 1):
        return recipe
    values = vars(recipe) | {"settings": recipe.settings | json.loads(options.change)}
    values |= {"train_way": options.way or recipe.train_way, "train_shot": options.shot or recipe.train_shot}
    return Recipe(**values)


def _logistic(runs: FewShot, data: str, split: str, shot: int, options: argparse.Namespace) -> np.ndarray:
    """Score logistic regression on the plain encoder's embeddings, on the same episodes."""
    run = Run(METHODS["plain"], data, split, 0)
    exam = Exam(options.score_on, shot, options.queries, options.episodes)
    kept = options.folder / f"logistic-{data}-{split}-{exam.name}.npy"
    if kept.exists():
        return np.load(kept, allow_pickle=False)
    features = runs.features(run, options.score_on)
    rows = features.features.numpy()[features.begins]
    found = np.empty(options.episodes)
    with threadpool_limits(1):
        for i, episode in enumerate(runs.episodes(run, exam)):
            model = LogisticRegression(C=10.0, max_iter=1000)
            model.fit(rows[episode.support.rows], episode.support.classes)
            found[i] = model.score(rows[episode.query.rows], episode.query.classes)
    np.save(kept, found)
    return found


def _conditions(options: argparse.Namespace) -> str:
    recipes = "; ".join(f"{name}: {_changed(METHODS[name], options)}" for name in options.methods)
    most = max(len(_splits(data, options)) for data in options.data)
    levels = ["splits"] * (most > 1) + ["seeds"] * (options.seeds > 1) + ["episodes"]
    return (
        f"5-way, {options.episodes} episodes on each split, "
        f"{options.queries} queries a class, classes of meta-{options.score_on}; 95 % intervals by a "
        f"bootstrap of {', '.join(levels)}. {recipes}."
    )


def _told(values: np.ndarray) -> str:
    """Give mean and 95 % interval by a bootstrap of splits, seeds and episodes, (splits, seeds, episodes)."""
    rng = np.random.default_rng(0)
    splits, seeds, episodes = values.shape
    drawn = np.empty(_DRAWS)
    for i in range(_DRAWS):
        chosen = rng.integers(splits, size=splits)
        seed = rng.integers(seeds, size=(splits, seeds))
        # Every seed is scored on the same episodes, so they are drawn once for all.
        some = rng.integers(episodes, size=(splits, 1, episodes))
        drawn[i] = values[chosen[:, None, None], seed[:, :, None], some].mean()
    low, high = np.quantile(drawn, [0.025, 0.975])
    return f"{100 * values.mean():.2f} ({100 * low:.2f} to {100 * high:.2f})"


if __name__ == "__main__":
    main()
