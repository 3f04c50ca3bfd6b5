"""A year of weekly retrainings, 1,000 times, through the product's own gate, and through simpler rules.

    python -m benchmarks.gate_histories --histories 1000

The world: the first champion is right on 85 % of the rows of each of 8 equal slices. Every week brings a
challenger whose accuracy is drawn from a normal (mean 85 %, standard deviation 1 point); one in ten is
harmed: 5 points lower on one slice, which costs it 0.6 points over all. The two are compared on n fresh
held-out rows. They disagree on a share d of the rows of each slice (on more where their accuracies are
further apart), so a row is a win with probability (d + gain) / 2 and a loss with (d - gain) / 2.
Every rule sees the same challengers and the same random numbers, but has its own champion.
"""

import argparse
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # carries no types

from benchmarks.gate_histories_report import write_report
from models.adapters.base import Outcomes
from models.gate import GateEvidence, judge
from models.schemas import AgentConfig, SourceConfig
from models.statistics import mcnemar, not_inferior

WEEKS, SLICES = 52, 8
MEAN, SPREAD, HARM, HARMED_SHARE = 0.85, 0.01, 0.05, 0.1
ROWS = (500, 2000)
DISCORDANCES = (0.05, 0.10, 0.15)
CONFIG = AgentConfig(
    name="simulated",
    adapter="text_classification",
    labels=("right", "wrong"),
    sources=(SourceConfig(address="simulated.csv"),),
)
# What the gate is without its rule against luck, to show what that rule buys.
CREDULOUS = CONFIG.model_copy(update={"typical_change": None})


@dataclass(frozen=True)
class Sample:
    """Held-out rows of one week.

    Args:
        challenger: (rows,) bool, right or wrong.
        champion: (rows,) bool, right or wrong.
    """

    challenger: np.ndarray
    champion: np.ndarray

    @property
    def wins(self) -> np.ndarray:
        """Count the rows that only the challenger got right."""
        return np.array(np.count_nonzero(self.challenger & ~self.champion))

    @property
    def losses(self) -> np.ndarray:
        """Count the rows that only the champion got right."""
        return np.array(np.count_nonzero(self.champion & ~self.challenger))


def by_gate(sample: Sample, config: AgentConfig) -> bool:
    """Promote as the product does."""
    rows = len(sample.champion)
    evidence = GateEvidence(
        challenger=_outcomes(sample.challenger),
        champion=_outcomes(sample.champion),
        current=np.ones(rows, dtype=bool),
        slices={f"domain={index}": np.arange(rows) % SLICES == index for index in range(SLICES)},
    )
    return judge(evidence, config).verdict == "promote"


def by_score(sample: Sample) -> bool:
    """Promote what is not lower."""
    return bool(sample.wins >= sample.losses)


def by_mcnemar(sample: Sample) -> bool:
    """Promote what is significantly better over all."""
    return bool(mcnemar(sample.wins, sample.losses) <= CONFIG.alpha)


def by_non_inferiority(sample: Sample) -> bool:
    """Promote what is shown to be less than one point worse."""
    rows = np.asarray(len(sample.champion))
    return bool(not_inferior(sample.wins, sample.losses, rows, 0.01) <= CONFIG.alpha)


RULES: dict[str, Callable[[Sample], bool]] = {
    "gate": partial(by_gate, config=CONFIG),
    "gate without typical_change": partial(by_gate, config=CREDULOUS),
    "McNemar alone": by_mcnemar,
    "not lower than": by_score,
    "non-inferiority by 1 point": by_non_inferiority,
}


def simulate(history: int, seed: int, rows: int, discordance: float) -> np.ndarray:
    """Live through one history under every rule.

    Returns:
        (rules, 6 + WEEKS): promotions, truly worse promotions, truly worse challengers, slice-harming
        promotions, slice-harming challengers, final gain, and the champion's true accuracy each week.
    """
    generator = np.random.default_rng([seed, history])
    champions = np.full((len(RULES), SLICES), MEAN)
    counts = np.zeros((len(RULES), 6 + WEEKS))
    for week in range(WEEKS):
        challenger, harmed = _draw_challenger(generator)
        chances = generator.random((-(-rows // SLICES), SLICES))
        for index, rule in enumerate(RULES.values()):
            champion = champions[index]
            promoted = rule(_draw_sample(challenger, champion, chances, discordance, rows))
            worse = challenger.mean() < champion.mean()
            harms = harmed is not None and challenger[harmed] < champion[harmed]
            counts[index, :5] += promoted, promoted and worse, worse, promoted and harms, harms
            if promoted:
                champions[index] = challenger
            counts[index, 6 + week] = champions[index].mean()
    counts[:, 5] = champions.mean(axis=1) - MEAN
    return counts


def _draw_challenger(generator: np.random.Generator) -> tuple[np.ndarray, int | None]:
    """Draw true accuracies (slices,) and which slice is harmed, if any."""
    accuracies = np.full(SLICES, generator.normal(MEAN, SPREAD))
    harmed, place = generator.random() < HARMED_SHARE, int(generator.integers(SLICES))
    if not harmed:
        return accuracies, None
    accuracies[place] -= HARM
    return accuracies, place


def _draw_sample(
    challenger: np.ndarray, champion: np.ndarray, chances: np.ndarray, discordance: float, rows: int
) -> Sample:
    """Turn uniform chances (rows / slices, slices) into right and wrong answers of both."""
    gain = challenger - champion
    disagree = np.maximum(discordance, np.abs(gain))
    wins = chances < (disagree + gain) / 2
    losses = (chances < disagree) & ~wins
    both = (chances >= disagree) & (chances < disagree + champion - (disagree - gain) / 2)
    return Sample((wins | both).ravel()[:rows], (losses | both).ravel()[:rows])


def _outcomes(right: np.ndarray) -> Outcomes:
    wrong = ~right
    return Outcomes(np.stack([right, wrong, wrong], axis=1), right)


def _one(history: int, seed: int, rows: int, discordance: float) -> np.ndarray:
    """Simulate in a worker; small matrices are faster on one thread."""
    with threadpool_limits(1):
        return simulate(history, seed, rows, discordance)


def main() -> None:
    """Run every setting and keep the figures in RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=20261121)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--dry", action="store_true", help="print the figures without keeping them")
    options = parser.parse_args()
    print(f"seed {options.seed}, {options.histories} histories a setting")
    results: dict[tuple[int, float], np.ndarray] = {}
    with ProcessPoolExecutor(options.processes) as pool:
        for rows in ROWS:
            for discordance in DISCORDANCES:
                job = partial(_one, seed=options.seed, rows=rows, discordance=discordance)
                lines = pool.map(job, range(options.histories), chunksize=10)
                results[rows, discordance] = np.stack(list(lines))
                print(f"n = {rows}, discordance {discordance:.0%}: done", flush=True)
    write_report(results, list(RULES), options.seed, keep=not options.dry)


if __name__ == "__main__":
    main()
