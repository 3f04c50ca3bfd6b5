"""Figures and a picture of `gate_histories`; what is simulated stands there."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
import numpy as np

from benchmarks.results import record

PICTURE = Path(__file__).parents[1] / "docs" / "gate_histories.png"
_RESAMPLES = 2_000
_COLUMNS = (
    "n",
    "discordance",
    "rule",
    "promotions a year",
    "truly worse, % of promotions",
    "truly worse, % of worse challengers",
    "final gain, points",
    "gain less McNemar's",
    "slice-harming promotions in 1,000 years",
    "less McNemar's",
)
_NOTES = """The first champion has 85 %; 52 challengers a year; histories are the unit of every 95 % interval
(bootstrap over histories), and differences to McNemar alone are taken within histories.

A promotion is *truly worse* if the promoted version's true accuracy over all slices is below that of the
champion it replaces. The target (at most 5 %) is meant as the share of promotions: it is what a person who
sees "promoted" wants to rely on, and much harder than the share of truly worse challengers that get through,
which a test at level 0.05 holds by itself. A promotion is *slice-harming* if the promoted version is a harmed
one and truly worse than the champion on its harmed slice.

The gate is used with its defaults: alpha 0.05, typical_change 0.01, harm_margin 0.005, harm_alpha 0.2.
With `typical_change` off it is McNemar's test and the harm rule only, so that line shows what each does.

These last three defaults were chosen on trial runs of this same world (other seeds), and typical_change is
the very spread that its challengers have. So the figures say that the rule works where its assumption holds;
where retrained versions differ by less, more promotions are luck, and where they differ by more, the gate
waits longer than it needs to. That wait is the price on few rows: see the final gain at n = 500."""


def write_report(
    results: Mapping[tuple[int, float], np.ndarray], rules: list[str], seed: int, keep: bool
) -> None:
    """Print the table and the verdict on the targets; keep both, and a picture, in the repository.

    Args:
        results: For each (rows, discordance) the simulated (histories, rules, 6 + weeks).
        rules: Names of the rules; the gate is the first.
        seed: The seed, for the record.
        keep: Whether to write files.
    """
    lines = ["| " + " | ".join(_COLUMNS) + " |", "|" + "---|" * len(_COLUMNS)]
    verdicts = []
    for (rows, discordance), table in results.items():
        figures = summarize(table, rules)
        lines += [f"| {rows} | {discordance:.0%} | {rule} | {' | '.join(f)} |" for rule, f in figures.items()]
        if rows == max(n for n, _ in results):
            verdicts.append(_verdict(table, rules, rows, discordance))
    histories = len(next(iter(results.values())))
    text = "\n".join([*verdicts, "", *lines, "", _NOTES])
    print(text)
    if keep:
        command = f"python -m benchmarks.gate_histories --histories {histories} --seed {seed}"
        draw(results, rules)
        picture = f"![Truly worse promotions and accuracy over a year](../docs/{PICTURE.name})"
        record("The gate over a year of retrainings", command, f"{text}\n\n{picture}")


def summarize(table: np.ndarray, rules: list[str]) -> dict[str, list[str]]:
    """Give each rule's figures with their intervals.

    Args:
        table: (histories, rules, 6 + weeks).
        rules: Names of the rules.
    """
    plain = rules.index("McNemar alone")
    every = np.concatenate([np.ones((1, len(table))) / len(table), _weights(len(table))])
    sums = np.einsum("wh,hrc->wrc", every, table[:, :, :6])
    figures = {}
    for index, rule in enumerate(rules):
        promotions, worse, bad, harming, _, gain = sums[:, index].T
        figures[rule] = [
            f"{promotions[0]:.2f}",
            _span(100 * worse / np.maximum(promotions, 1e-12)),
            _span(100 * worse / np.maximum(bad, 1e-12), 2),
            _span(100 * gain, 2),
            _span(100 * (gain - sums[:, plain, 5]), 2),
            _span(1000 * harming, 0),
            _span(1000 * (harming - sums[:, plain, 3]), 0),
        ]
    return figures


def _verdict(table: np.ndarray, rules: list[str], rows: int, discordance: float) -> str:
    """Hold the gate's figures against the targets, in words."""
    figures = summarize(table, rules)[rules[0]]
    return (
        f"- n = {rows}, discordance {discordance:.0%}: {figures[1]} % of the gate's promotions are truly "
        f"worse (target: at most 5); final gain less McNemar's {figures[4]} points (target: within 0.15); "
        f"slice-harming promotions less McNemar's {figures[6]} in 1,000 years (target: clearly fewer)."
    )


def _weights(histories: int) -> np.ndarray:
    """Give the weight of each history in each resample, (resamples, histories)."""
    generator = np.random.default_rng(0)
    return generator.multinomial(histories, np.full(histories, 1 / histories), size=_RESAMPLES) / histories


def _span(values: np.ndarray, digits: int = 1) -> str:
    """Write the first value with the interval of the others."""
    low, high = np.percentile(values[1:], (2.5, 97.5))
    return f"{values[0]:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def draw(results: Mapping[tuple[int, float], np.ndarray], rules: list[str]) -> None:
    """Draw the champion's true accuracy over the year, and how many promotions are truly worse."""
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    rows, discordance = max(results)
    colours = ("#0b6e4f", "#7cb518", "#3d5a80", "#bc4749", "#f4a259")
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    for index, rule in enumerate(rules):
        path = 100 * results[rows, discordance][:, index, 6:].mean(axis=0)
        left.plot(np.arange(1, len(path) + 1), path, color=colours[index], label=rule)
    left.set(
        xlabel="week",
        ylabel="champion's true accuracy, %",
        title=f"n = {rows}, discordance {discordance:.0%}",
    )
    left.legend(frameon=False, fontsize=8)
    settings = [key for key in results if key[0] == rows]
    width = 0.8 / len(rules)
    for index in range(len(rules)):
        sums = [results[key][:, index, :2].sum(axis=0) for key in settings]
        places = np.arange(len(settings)) + (index - (len(rules) - 1) / 2) * width
        shares = [100 * worse / max(promotions, 1) for promotions, worse in sums]
        right.bar(places, shares, width, color=colours[index])
    right.axhline(5, color="black", linewidth=0.8, linestyle="--")
    right.set_xticks(range(len(settings)), [f"{key[1]:.0%}" for key in settings])
    right.set(xlabel="discordance", ylabel="% of promotions", title=f"Truly worse promotions, n = {rows}")
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, dpi=110)
    plt.close(figure)
