"""Adapt a start to an agent's examples: store the model, and what cross-validation says of it."""

import time
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np
import pyarrow as pa
from pydantic import Field

from models.adapters import Answers, TaskAdapter, get_adapter
from models.baselines import predict_baselines
from models.errors import DataError
from models.evaluate import Evaluation, evaluate, latency, outcomes_table
from models.meta.adapting import Adaptation, Examples, cross_validated, folds, read_examples
from models.meta.pools import name_words
from models.meta.store import StoredStart, load_start
from models.predictor import Predictor
from models.schemas import AgentConfig, ArtifactRef, DatasetSnapshot, EvaluationReport, TrainingReport
from models.schemas.base import Record
from models.task_model import SavedAgent, save
from tasks.io.digests import checked, folder_digest
from tasks.io.evaluation import OUTCOMES, baseline_file, baseline_scores, keep
from tasks.io.folders import new_folder
from tasks.io.progress import progress_bar
from tasks.io.rows import read_rows
from tasks.io.snapshot_store import verify

_EVERY = ("train", "validation", "test")
_BATCHES = (1, 32)
_LATENCY_SECONDS = 0.5
_MOST_EXAMPLES, _MOST_FOR_THE_BODY = 20_000, 500


class Learned(Record):
    """An adapted agent: its model, its scores by cross-validation, and the examples that were of no use."""

    training: TrainingReport
    evaluation: EvaluationReport
    unusable: dict[str, int] = Field(default_factory=dict)


def learn(
    config: AgentConfig, start: ArtifactRef, snapshot: DatasetSnapshot, model: Path, outcomes: Path
) -> Learned:
    """Adapt to all rows of a snapshot, and score each row by an adaptation to the others.

    Args:
        config: The agent.
        start: The start's folder.
        snapshot: The examples.
        model: Folder for the agent's model; it appears whole.
        outcomes: Folder for the outcomes of each example; it appears whole.

    Raises:
        DataError: A label has no example, or none has two and names are not read, or there are too many to
            adapt to at once.
        ConfigError: The task is not text classification.
        ArtifactError: Start or snapshot is gone or not what its digest says.
    """
    began = time.perf_counter()
    verify(snapshot)
    adapter, stored = get_adapter(config), load_start(checked(start))
    rows = read_rows(snapshot, _EVERY)
    _check_count(len(rows), stored)
    examples = read_examples(rows, adapter, stored.tokenizer, names=stored.config.names)
    _check(config, examples, named=stored.config.names)
    adaptation = Adaptation.of(stored, examples, config.labels)
    with progress_bar(f"learning {config.name}") as show:
        asked, logits = cross_validated(
            adaptation, examples.labels, config.seed, lambda share: show(share, "cross-validating")
        )
        saved = SavedAgent(adaptation.model(np.arange(len(examples.rows))), stored.tokenizer, config)
        with new_folder(model) as folder:
            save(folder, saved.model, saved.tokenizer, saved.config)
    made = ArtifactRef(address=str(model), digest=folder_digest(model))
    seconds = time.perf_counter() - began
    rows = examples.rows.take(asked)
    places = pa.table({"row": pa.array(np.arange(len(asked)))})
    found = evaluate(adapter, rows, adapter.decode(Answers(list(logits), places, stored.tokenizer), rows))
    tables = {
        OUTCOMES: found.outcomes,
        **_baselines(config, adapter, examples, asked, named=stored.config.names),
    }
    predictor = Predictor(saved, adapter)
    waits = {str(n): latency(predictor.predict, rows, n, _LATENCY_SECONDS) for n in _BATCHES}
    return Learned(
        training=_training(made, found, seconds),
        evaluation=EvaluationReport(
            agent=config.name,
            model=made,
            snapshot=snapshot.artifact,
            **{part.name: getattr(found, part.name) for part in fields(found) if part.name != "outcomes"},
            baselines=baseline_scores(tables, config.seed),
            latency_ms=waits,
            size_mb=sum(p.stat().st_size for p in model.rglob("*.safetensors")) / 1e6,
            outcomes=keep(tables, outcomes),
        ),
        unusable=dict(examples.unusable),
    )


def _training(model: ArtifactRef, found: Evaluation, seconds: float) -> TrainingReport:
    """Say in a training's words that there were no steps."""
    return TrainingReport(
        model=model,
        steps=0,
        epochs=0.0,
        best_step=0,
        best_score=found.metrics[found.primary].value,
        curve=(),
        seconds=seconds,
        model_share=0.0,
        tokens_per_second=0.0,
    )


def _check_count(rows: int, start: StoredStart) -> None:
    """Refuse more examples than fit in memory at once: the support is one batch."""
    most = _MOST_FOR_THE_BODY if start.learner.adapts_body else _MOST_EXAMPLES
    if rows > most:
        raise DataError(
            f"There are {rows:,} examples, and a start whose learner is {start.config.learner} adapts to "
            f"{most:,} at most. `quickstudy train` learns from all of them."
        )


def _check(config: AgentConfig, examples: Examples, *, named: bool) -> None:
    """Refuse examples that no metric could be read from."""
    counts = np.bincount(examples.labels, minlength=len(config.labels))
    missing = [name for name, n in zip(config.labels, counts.tolist(), strict=True) if not n]
    if missing:
        raise DataError(
            f"Label {missing[0]!r} has no example ({len(missing)} such labels). Add one, or take the label "
            "out of the agent's description."
        )
    if counts.max() < 2 and not named:
        raise DataError(
            "Each label has one example only, so nothing is left to try the agent on. Add a second one for "
            "some of them, or name a start that reads labels' names as well (names: true)."
        )


def _baselines(
    config: AgentConfig, adapter: TaskAdapter, examples: Examples, asked: np.ndarray, *, named: bool
) -> dict[str, pa.Table]:
    """Let each baseline answer the same rows, fitted to the same others and, where they are read, names."""
    shown = examples.rows.select(["text", "label"])
    names = pa.table({"text": name_words(config.labels), "label": config.labels}, shown.schema)
    parts: dict[str, list[pa.Table]] = {}
    order: Sequence[np.ndarray] = list(folds(examples.labels, config.seed, named=named))
    for query in order:
        support = np.setdiff1d(np.arange(len(examples.rows)), query)
        known = pa.concat_tables([shown.take(support), *([names] if named else [])])
        answers = predict_baselines(config, known, examples.rows.take(query))
        for name, table in answers.items():
            parts.setdefault(name, []).append(table)
    back = np.argsort(np.concatenate(order), kind="stable")
    rows = examples.rows.take(asked)
    return {
        baseline_file(name): outcomes_table(adapter, rows, pa.concat_tables(tables).take(back))
        for name, tables in parts.items()
    }
