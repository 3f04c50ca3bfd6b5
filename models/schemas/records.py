"""The records that steps hand to each other; each is stored as JSON and shown in MLflow and Prefect."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from models.schemas.agent import AdapterName
from models.schemas.artifact import ArtifactRef
from models.schemas.base import Record
from models.schemas.made_rows import Augmented
from models.schemas.robustness import PerturbationName


class Metric(Record):
    """A score with its 95 % interval and the rows behind it; a fraction, 0-1, but for `perplexity`."""

    value: float
    low: float
    high: float
    rows: int


class DatasetSnapshot(Record):
    """A content-addressed Parquet table with its quarantine; `rows + quarantined` is all that came in.

    Its folder holds `rows.parquet`, `quarantine.parquet` and `snapshot.json` (this record).
    Columns of rows.parquet: `text_hash` (uint64 of the normalized text), `split` (train, validation,
    test), `source`, `domain` and `time` (nullable), then the adapter's own columns.
    """

    artifact: ArtifactRef
    adapter: AdapterName
    rows: int
    quarantined: int
    reasons: dict[str, int] = Field(default_factory=dict)
    split_counts: dict[str, int]
    label_counts: dict[str, int]
    domain_counts: dict[str, int] = Field(default_factory=dict)
    time_start: datetime | None = None
    time_end: datetime | None = None
    exact_duplicates: int = 0
    normalized_duplicates: int = 0
    in_two_splits: int = 0


class EncodedDataset(Record):
    """Tokenized rows of a snapshot: one memory-mapped Arrow file a split in `artifact.address`.

    `<split>.arrow` has `row` (int64, position in rows.parquet), `input_ids` (list<int32>), `labels`
    (list<int32>: one entry for text, one a sub-word for tags, -100 ignored) and `words` (list<int32>:
    index of the word that starts here, else -1; empty for text).
    """

    artifact: ArtifactRef
    snapshot: ArtifactRef
    windows: dict[str, int]
    tokens: dict[str, int]
    unusable: dict[str, int] = Field(default_factory=dict)
    augmented: Augmented | None = None


class CurvePoint(Record):
    """One evaluation on validation rows during training."""

    step: int
    epoch: float
    train_loss: float
    validation_score: float
    seconds: float


class TrainingReport(Record):
    """What fine-tuning made: a model folder (safetensors, JSON, tokenizer) and how it got there."""

    model: ArtifactRef
    steps: int
    epochs: float
    best_step: int
    best_score: float
    curve: tuple[CurvePoint, ...]
    seconds: float
    model_share: float = Field(description="share of time in forward, backward, optimizer step (0-1)")
    tokens_per_second: float
    resumed_from: int = 0
    stopped: Literal["finished", "early"] = "finished"
    seconds_by_part: dict[str, float] = Field(
        default_factory=dict, description="setup, loading, forward, ..., save"
    )
    job: str = Field(default="", description="digest of the job that this answers")
    trained_share: float = Field(
        default=1.0, description="share of the parameters that trained in the last epoch (0-1)"
    )


class SliceScore(Record):
    """The primary metric on one slice, named `kind=value` (source, domain, length, label)."""

    name: str
    metric: Metric


class ReliabilityBin(Record):
    """Predictions of similar confidence: how many, how sure, how often right."""

    confidence: float
    accuracy: float
    rows: int


class Robustness(Record):
    """The primary metric on held-out rows before and after a perturbation.

    Args:
        perturbation: Its name.
        changed: Rows that it changed.
        clean: The score on the rows as they are.
        perturbed: The score on the changed rows.
        lost: Fraction of the clean score that is lost, its interval from the same rows resampled in pairs.
        slices: The perturbed score on each slice.
    """

    perturbation: PerturbationName
    changed: int
    clean: Metric
    perturbed: Metric
    lost: Metric
    slices: tuple[SliceScore, ...]


class EvaluationReport(Record):
    """A model's scores on held-out rows; `outcomes` is the per-row Parquet the gate compares."""

    agent: str
    model: ArtifactRef
    snapshot: ArtifactRef
    primary: str
    metrics: dict[str, Metric]
    per_label: dict[str, dict[str, float]]
    slices: tuple[SliceScore, ...]
    confusion_labels: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]
    reliability: tuple[ReliabilityBin, ...]
    calibration_error: float
    baselines: dict[str, Metric]
    before: Metric | None = None
    latency_ms: dict[str, float] = Field(description="median milliseconds at batch 1 and 32")
    size_mb: float
    outcomes: ArtifactRef
    robustness: tuple[Robustness, ...] = ()


class TestResult(Record):
    """One paired comparison of challenger and champion on the same rows."""

    __test__ = False

    name: str
    method: str
    rows: int
    challenger: float
    champion: float
    difference: float
    p_value: float
    alpha: float
    margin: float = 0.0
    passed: bool


class Guardrail(Record):
    """A limit that holds whatever the comparison says; `limit` None means not configured."""

    name: str
    value: float
    limit: float | None
    passed: bool


Verdict = Literal["promote", "keep", "not_enough_data", "not_enough_fresh_data"]


class GateReport(Record):
    """The gate's verdict and everything it rests on."""

    verdict: Verdict
    reason: str
    superiority: TestResult | None = None
    slices: tuple[TestResult, ...] = ()
    too_small: dict[str, int] = Field(default_factory=dict)
    baselines: tuple[TestResult, ...] = ()
    guardrails: tuple[Guardrail, ...] = ()
    rows: int
    used_up: int = 0
    needed_rows: int | None = None


class DriftTest(Record):
    """One drift statistic with its p-value."""

    __test__ = False

    name: str
    statistic: float
    p_value: float
    drifted: bool


class DriftReport(Record):
    """How the current window differs from the reference one."""

    agent: str
    drifted: bool
    reason: str
    reference_rows: int
    current_rows: int
    alpha: float
    tests: tuple[DriftTest, ...]
    reference_shares: dict[str, float]
    current_shares: dict[str, float]
    reference_points: tuple[tuple[float, float], ...] = ()
    current_points: tuple[tuple[float, float], ...] = ()
    moved_most: tuple[str, ...] = ()


class PromotionDecision(Record):
    """What happened to the champion alias, and why."""

    agent: str
    verdict: Literal["promoted", "kept", "not_enough_data", "not_enough_fresh_data", "already_decided"]
    champion: int | None
    challenger: int | None
    previous: int | None = None
    reason: str


class Move(Record):
    """One line of the ledger: the champion alias went from one version to another (None: no champion)."""

    id: int
    agent: str
    from_version: int | None
    to_version: int | None
    actor: str
    reason: str
    kind: Literal["promotion", "rollback", "manual", "observed"]
    state: Literal["intent", "done", "undone"]
    at: datetime
    done_at: datetime | None = None
    evidence: dict[str, str] = Field(default_factory=dict)
