"""5-way accuracy of learners on classes that they never saw, on BANKING77 and CLINC150.

`python -m benchmarks.few_shot_intents` meta-trains on each of the five published class splits with three
seeds, scores 600 episodes each, and compares with the encoder as it is: prototypes, and logistic regression
on frozen embeddings. Settings are tried with `--score-on validation`. What is done is kept in `--folder`.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from benchmarks.few_shot_runs import KIND, Exam, Recipe, Run, parts, scores
from benchmarks.intents import DATA, SPLITS
from benchmarks.results import record
from models.episodes import EpisodeShape
from models.meta.scoring import embed_pool

PUBLISHED = {
    "banking77": "91.2 / 96.4 (ContrastNet), 89.18 / 94.77 (LAQDA, sees the query set)",
    "clinc150": "96.6 / 98.5 (ContrastNet), 96.98 / 98.58 (LAQDA, sees the query set)",
}
_DRAWS = 2000


def main() -> None:
    """Train, score, and tell."""
    options = _options()
    options.folder.mkdir(parents=True, exist_ok=True)
    recipe = Recipe(
        learner=options.learner,
        own=json.loads(options.own),
        layers=int(options.layers) if options.layers.isdigit() else options.layers,
        train_way=options.way,
        train_shot=options.shot,
        train_query=options.query,
        names=options.names,
        settings=json.loads(options.settings),
    )
    table = {}
    for data in options.data:
        for shot in (1, 5):
            table[data, shot, options.learner] = _of_recipe(recipe, data, shot, options)
            plain = Recipe(settings={"steps": 0}, names=options.names)
            table[data, shot, "prototypes, not meta-trained"] = _of_recipe(
                plain, data, shot, options, seeds=1
            )
            table[data, shot, "logistic regression, frozen"] = np.array(
                [[_logistic(data, split, shot, options)] for split in options.splits]
            )
    markdown = _report(table, recipe, options)
    print(markdown)
    if options.record:
        record(
            "Few-shot intents",
            f"python -m benchmarks.few_shot_intents {' '.join(sys.argv[1:])}".strip(),
            markdown,
        )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", nargs="+", default=list(DATA), choices=DATA)
    parser.add_argument("--splits", nargs="+", default=list(SPLITS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--learner", default="prototypical")
    parser.add_argument("--own", default="{}", help="settings of the learner, JSON")
    parser.add_argument("--layers", default="all", help="all, none, or how many from the top")
    parser.add_argument("--way", type=int, default=15)
    parser.add_argument("--shot", type=int, default=1)
    parser.add_argument("--query", type=int, default=5)
    parser.add_argument("--names", action="store_true", help="classes' names are in the support")
    parser.add_argument("--settings", default="{}", help="numbers of the outer loop, JSON")
    parser.add_argument("--episodes", type=int, default=600)
    parser.add_argument("--queries", type=int, default=25, help="a class, when scored")
    parser.add_argument("--score-on", default="test", choices=("validation", "test"))
    parser.add_argument("--folder", type=Path, default=Path(".few-shot"), help="kept, and gone on with")
    parser.add_argument("--record", action=argparse.BooleanOptionalAction, default=True)
    return parser.parse_args()


def _of_recipe(
    recipe: Recipe, data: str, shot: int, options: argparse.Namespace, seeds: int | None = None
) -> np.ndarray:
    """Give the accuracies (splits, seeds, episodes)."""
    exam = Exam(options.score_on, shot, options.queries, options.episodes)
    return np.array(
        [
            [
                scores(Run(recipe, data, split, seed), exam, options.folder)
                for seed in range(seeds or options.seeds)
            ]
            for split in options.splits
        ]
    )


def _logistic(data: str, split: str, shot: int, options: argparse.Namespace) -> np.ndarray:
    """Score logistic regression on the plain encoder's embeddings, on the same episodes."""
    kept = (
        options.folder
        / f"logistic-{data}-{split}-{options.score_on}-{shot}-{options.queries}-{options.episodes}.npy"
    )
    if kept.exists():
        return np.load(kept, allow_pickle=False)
    recipe = Recipe(layers="none")
    networks, source = parts(Run(recipe, data, split, 0))
    drawn = source(options.score_on, EpisodeShape(n_way=5, k_shot=shot, n_query=options.queries), 0)
    features = (
        embed_pool(networks[KIND], networks[KIND].parameters, drawn.readers[0])
        .inputs(np.arange(len(drawn.readers[0].pool)), 0)[0]
        .numpy()
    )
    found = np.empty(options.episodes)
    with threadpool_limits(1):
        for i, episode in enumerate(drawn.episodes(0, options.episodes)):
            model = LogisticRegression(C=10.0, max_iter=1000)
            model.fit(features[episode.support.rows], episode.support.classes)
            found[i] = model.score(features[episode.query.rows], episode.query.classes)
    np.save(kept, found)
    return found


def _report(table: dict, recipe: Recipe, options: argparse.Namespace) -> str:
    lines = [
        f"5-way, {options.episodes} episodes on each of splits {', '.join(options.splits)}, "
        f"{options.queries} queries a class, {options.seeds} seeds, classes of meta-{options.score_on}. "
        f"Recipe: {recipe}.",
        "",
        "| data | method | 1-shot | 5-shot | published (BERT-base) |",
        "|---|---|---|---|---|",
    ]
    for data in options.data:
        for method in dict.fromkeys(key[2] for key in table if key[0] == data):
            cells = [_told(table[data, shot, method]) for shot in (1, 5)]
            lines.append(f"| {data} | {method} | {cells[0]} | {cells[1]} | {PUBLISHED[data]} |")
    return "\n".join(lines)


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
