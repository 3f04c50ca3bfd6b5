"""Evaluate a stored model on a snapshot's held-out rows and keep the outcome of each row."""

import functools
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from models.adapters import TaskAdapter, get_adapter
from models.baselines import predict_baselines
from models.evaluate import evaluate, latency, outcomes_of, outcomes_table
from models.metrics import score_counts
from models.predictor import Predictor
from models.robustness import score_perturbed
from models.schemas import AgentConfig, ArtifactRef, DatasetSnapshot, EvaluationReport, Metric
from models.task_model import SavedAgent, build
from tasks.io.digests import checked, folder_digest
from tasks.io.folders import new_folder
from tasks.io.rows import read_rows, sample_split
from tasks.io.snapshot_store import verify

OUTCOMES = "outcomes.parquet"
_BATCHES = (1, 32)
_MOST_TRAINING_ROWS = 200_000


def evaluate_model(
    config: AgentConfig, model: ArtifactRef, snapshot: DatasetSnapshot, out: Path, *, full: bool = True
) -> EvaluationReport:
    """Score a model, the baselines and the model before fine-tuning on the same held-out rows.

    Args:
        config: The agent.
        model: The model's folder.
        snapshot: Its test rows are scored; its training rows, at most 200,000 of them, teach the baselines.
        out: Folder for the outcomes of each row; it appears whole.
        full: Also score perturbed rows, the baselines and the model before fine-tuning.

    Raises:
        DataError: There are no held-out rows.
        ArtifactError: Model or snapshot is gone or not what its digest says.
    """
    verify(snapshot)
    rows, adapter = read_rows(snapshot, ["test"]), get_adapter(config)
    predictor = Predictor.load(checked(model))
    found = evaluate(adapter, rows, predictor.predict_labelled(rows))
    tables = {OUTCOMES: found.outcomes}
    if full:
        columns = adapter.columns().names
        train = sample_split(snapshot, "train", columns, _MOST_TRAINING_ROWS, config.seed)
        for name, predictions in predict_baselines(config, train, rows).items():
            tables[baseline_file(name)] = outcomes_table(adapter, rows, predictions)
    return EvaluationReport(
        agent=config.name,
        model=model,
        snapshot=snapshot.artifact,
        primary=found.primary,
        metrics=found.metrics,
        per_label=found.per_label,
        slices=found.slices,
        confusion_labels=found.confusion_labels,
        confusion=found.confusion,
        reliability=found.reliability,
        calibration_error=found.calibration_error,
        baselines=baseline_scores(tables, config.seed),
        before=_score_before(config, adapter, rows) if full else None,
        latency_ms={str(n): latency(predictor.predict, rows, n) for n in _BATCHES},
        size_mb=sum(p.stat().st_size for p in Path(model.address).rglob("*.safetensors")) / 1e6,
        outcomes=keep(tables, out),
        robustness=score_perturbed(adapter, predictor.predict, rows, found.outcomes) if full else (),
    )


def baseline_file(name: str) -> str:
    """Name the file with a baseline's outcomes."""
    return f"baseline-{name}.parquet"


def read_baselines(outcomes: ArtifactRef) -> dict[str, pa.Table]:
    """Read the outcomes of every baseline back."""
    files = sorted(checked(outcomes).glob(baseline_file("*")))
    return {path.stem.removeprefix("baseline-"): pq.read_table(path) for path in files}


def baseline_scores(tables: Mapping[str, pa.Table], seed: int) -> dict[str, Metric]:
    """Score the baselines among outcomes tables, by their names."""
    return {
        Path(file).stem.removeprefix("baseline-"): score_counts(outcomes_of(table).counts, seed)
        for file, table in tables.items()
        if file != OUTCOMES
    }


def _score_before(config: AgentConfig, adapter: TaskAdapter, rows: pa.Table) -> Metric:
    """Score the pretrained encoder with a head that has learned nothing."""
    model, tokenizer = build(config)
    untrained = Predictor(SavedAgent(model.eval(), tokenizer, config), adapter)
    counts = adapter.outcomes(rows, untrained.predict(rows)).counts
    return score_counts(counts, config.seed)


def keep(tables: Mapping[str, pa.Table], out: Path) -> ArtifactRef:
    """Store tables in a folder that appears whole, by their files' names."""
    with new_folder(out) as folder:
        write = functools.partial(pq.write_table, compression="zstd")
        for name, table in tables.items():
            write(table, folder / name)
    return ArtifactRef(address=str(out), digest=folder_digest(out))
