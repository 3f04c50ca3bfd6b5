"""Task types on real data, each through the whole `train` flow: `python -m benchmarks.tasks out_of_scope`.

A task is a function that writes rows into a folder and gives the fields of an agent's description; a new
one is such a function and a line in TASKS. Each seed's agent is trained, registered, reloaded and gated.
"""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import reading_data, writing_data, xquad_data
from benchmarks.results import record, this_command
from deployments.embedded import embedded
from models.schemas import Metric
from models.schemas.load import agent_from_mapping
from tasks.io.home import home_at
from tasks.io.report.story import Round
from tasks.io.report.words import interval, metric_name

Fields = Mapping[str, object]


@dataclass(frozen=True)
class Task:
    """A task type on a data set.

    Args:
        about: What the rows are and how they are split, for the results file.
        prepare: Writes the rows into a folder and gives the agent's fields.
    """

    about: str
    prepare: Callable[[Path], Fields]


TASKS = {
    "out_of_scope": Task(reading_data.OUT_OF_SCOPE, reading_data.out_of_scope),
    "dialogue": Task(writing_data.DIALOGUE, writing_data.dialogue),
    "dialogue_state": Task(writing_data.DIALOGUE_STATE, writing_data.dialogue_state),
    "summarization": Task(writing_data.SUMMARIZATION, writing_data.summarization),
    "translation": Task(writing_data.TRANSLATION, writing_data.translation),
    "question_answering": Task(xquad_data.QUESTION_ANSWERING, xquad_data.question_answering),
    "multi_label": Task(reading_data.MULTI_LABEL, reading_data.multi_label),
    "relations": Task(reading_data.RELATIONS, reading_data.relations),
    "relation_extraction": Task(reading_data.EXTRACTION, reading_data.extraction),
    "choices": Task(reading_data.CHOICES, reading_data.choices),
}


def main() -> None:
    """Train an agent a seed and write down its scores, those before training, and the baselines'."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("task", choices=list(TASKS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    chosen = parser.parse_args()
    with TemporaryDirectory() as folder:
        rounds = run(TASKS[chosen.task], Path(folder), chosen.seeds)
    text = f"{TASKS[chosen.task].about}\n\n{table(rounds)}"
    record(f"Task: {metric_name(chosen.task)}", this_command(), text)
    print(text)


def run(task: Task, folder: Path, seeds: list[int]) -> dict[int, Round]:
    """Take an agent of each seed through flow `train`, in a home of their own."""
    fields = task.prepare(folder)
    configs = {seed: agent_from_mapping({**fields, "name": f"agent-{seed}", "seed": seed}) for seed in seeds}
    with embedded(home_at(folder / "home").make()):
        from flows.train import train

        return {seed: train(config).agents[0].rounds[-1] for seed, config in configs.items()}


def table(rounds: Mapping[int, Round]) -> str:
    """Write a line a score and seed, with 95 % intervals by a bootstrap of the held-out rows."""
    lines = ["| seed | what | score (95 %) | rows |", "|---:|---|---|---:|"]
    for seed, turn in rounds.items():
        lines += [
            f"| {seed} | {name} | {interval(one)} | {one.rows:,} |" for name, one in _scores(turn).items()
        ]
    ends = [_end(seed, turn) for seed, turn in rounds.items()]
    return "\n".join([*lines, "", *ends])


def _scores(turn: Round) -> dict[str, Metric]:
    report = turn.evaluation
    if report is None:
        raise RuntimeError("The flow ended without an evaluation.")
    scores = {metric_name(name): one for name, one in report.metrics.items()}
    primary = metric_name(report.primary)
    scores |= {f"{primary} of {metric_name(name)}": one for name, one in report.baselines.items()}
    return scores | ({f"{primary} before training": report.before} if report.before else {})


def _end(seed: int, turn: Round) -> str:
    training, report, gate = turn.training, turn.evaluation, turn.gate
    if training is None or report is None or gate is None:
        raise RuntimeError("The flow ended without a verdict.")
    return (
        f"Seed {seed}: {training.epochs:g} epochs in {training.seconds:.0f} s, one row in "
        f"{report.latency_ms['1']:.1f} ms, {report.size_mb:.0f} MB; gate: {gate.verdict}."
    )


if __name__ == "__main__":
    main()
