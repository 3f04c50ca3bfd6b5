"""Stories made of records alone: one full, with two agents, one of them retrained."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from models.schemas import (
    AgentConfig,
    ArtifactRef,
    CurvePoint,
    DatasetSnapshot,
    DriftReport,
    DriftTest,
    EvaluationReport,
    GateReport,
    Guardrail,
    Metric,
    Move,
    PromotionDecision,
    ReliabilityBin,
    SliceScore,
    SourceConfig,
    TestResult,
    TrainingReport,
)
from tasks.io.report.story import AgentStory, Link, Round, Step, Story
from tests.tasks.io.report.robustness import with_robustness

START = datetime(2026, 11, 27, 9, 30, tzinfo=UTC)
REF = ArtifactRef(address="/home/ana/.quickstudy/snapshots/3f9c1b7e", digest="3f9c1b7e" * 8)
MOODS = ("negative", "neutral", "positive")
PARTS = (
    "AddressNumber", "StreetName", "StreetNamePostType", "PlaceName", "StateName", "ZipCode",
    "OccupancyType", "OccupancyIdentifier", "StreetNamePreDirectional", "StreetNamePostDirectional",
    "Recipient", "BuildingName", "USPSBoxType", "USPSBoxID", "LandmarkName", "CornerOf",
    "IntersectionSeparator", "SubaddressType", "SubaddressIdentifier", "StreetNamePreType",
    "AddressNumberSuffix", "CountryName", "StreetNamePreModifier", "USPSBoxGroupType", "NotAddress",
)  # fmt: skip


def metric(value: float, rows: int, half: float = 0.0) -> Metric:
    """Put a plausible interval around a score."""
    half = half or 1.96 * float(np.sqrt(value * (1 - value) / rows))
    return Metric(value=value, low=max(value - half, 0), high=min(value + half, 1), rows=rows)


def config(name: str, adapter: str, labels: tuple[str, ...]) -> AgentConfig:
    """Describe an agent."""
    source = SourceConfig(address=f"data/{name}.parquet")
    about = "Tells how people feel about it." if name == "sentiment" else "Takes US addresses apart."
    return AgentConfig(name=name, description=about, adapter=adapter, labels=labels, sources=(source,))


def snapshot(adapter: str, labels: tuple[str, ...], rows: int) -> DatasetSnapshot:
    """Make a snapshot with a little quarantine; label counts fall off."""
    weights = 1 / np.arange(1, len(labels) + 1) ** 0.8
    counts = (weights / weights.sum() * rows).astype(int)
    return DatasetSnapshot(
        artifact=REF,
        adapter=adapter,
        rows=rows,
        quarantined=37,
        reasons={"text is empty": 21, "label 'mixed' is not the agent's": 11, "broken encoding": 5},
        split_counts={"train": int(rows * 0.7), "validation": int(rows * 0.15), "test": int(rows * 0.15)},
        label_counts={n: int(c) for n, c in zip(labels, counts, strict=True)},
        domain_counts={"tweets": rows},
        time_start=START - timedelta(days=90),
        time_end=START,
        exact_duplicates=18,
        normalized_duplicates=42,
        in_two_splits=0,
    )


def training(best: float) -> TrainingReport:
    """Make a learning curve that rises, peaks and stops early."""
    steps = np.arange(1, 13) * 40
    scores = best - 0.22 * np.exp(-np.arange(12) / 2.2) - 0.0016 * np.maximum(np.arange(12) - 8, 0) ** 2
    losses = 0.35 + 0.75 * np.exp(-np.arange(12) / 4)
    peak = int(scores.argmax())
    curve = [
        CurvePoint(step=int(s), epoch=i / 3, train_loss=float(x), validation_score=float(v), seconds=i * 3.0)
        for i, (s, x, v) in enumerate(zip(steps, losses, scores, strict=True))
    ]
    return TrainingReport(
        model=REF, steps=480, epochs=4, best_step=int(steps[peak]), best_score=float(scores[peak]),
        curve=tuple(curve), seconds=41.3, model_share=0.96, tokens_per_second=8120, stopped="early",
    )  # fmt: skip


def confusion(size: int, rows: int, accuracy: float) -> tuple[tuple[int, ...], ...]:
    """Make a confusion matrix with neighbours taken for each other."""
    near = np.exp(-np.abs(np.subtract.outer(np.arange(size), np.arange(size))) / 1.2)
    np.fill_diagonal(near, 0)
    near = near / near.sum(axis=1, keepdims=True) * (1 - accuracy) + np.eye(size) * accuracy
    weights = 1 / np.arange(1, size + 1) ** 0.8
    counts = (near * (weights / weights.sum() * rows)[:, None]).round().astype(int)
    return tuple(tuple(int(x) for x in line) for line in counts)


def evaluation(name: str, labels: tuple[str, ...], score: float, rows: int) -> EvaluationReport:
    """Make a full evaluation."""
    text = name == "sentiment"
    primary = "accuracy" if text else "f1"
    kinds = ["domain=tweets", "domain=reviews", "length=short", "length=middle", "length=long"]
    sizes = [rows // 2, rows // 3, rows // 3, rows // 3, rows // 4]
    kinds += [f"label={x}" for x in labels]
    sizes += [rows // (2 + i) + 8 for i in range(len(labels))]
    shift = np.sin(np.arange(len(kinds)) * 2.1) * 0.06
    slices = [
        SliceScore(name=k, metric=metric(float(np.clip(score + d, 0, 0.99)), n))
        for k, n, d in zip(kinds, sizes, shift, strict=True)
    ]
    sure = np.linspace(0.42, 0.97, 9)
    bins = [
        ReliabilityBin(confidence=float(c), accuracy=float(c - 0.05 * (c - 0.3)), rows=int(20 + 200 * c**4))
        for c in sure
    ]
    rough = "tfidf_logistic_regression" if text else "crf"
    plain = "majority" if text else "most_frequent_tag"
    return EvaluationReport(
        agent=name,
        model=REF,
        snapshot=REF,
        primary=primary,
        metrics={
            primary: metric(score, rows),
            "macro_f1": metric(score - 0.03, rows),
            "exact_rows": metric(score - 0.12, rows),
        },
        per_label={x: {"precision": 0.8, "recall": 0.7, "f1": 0.75, "rows": 60.0} for x in labels},
        slices=tuple(slices),
        confusion_labels=labels,
        confusion=confusion(len(labels), rows, score),
        reliability=tuple(bins),
        calibration_error=0.041,
        baselines={plain: metric(0.44, rows), rough: metric(score - 0.09, rows)},
        before=metric(0.36, rows),
        latency_ms={"1": 9.7, "32": 88.2},
        size_mb=86.7,
        outcomes=REF,
    )


def drift() -> DriftReport:
    """Make two windows that lie apart."""
    rng = np.random.default_rng(3)
    old = np.concatenate([rng.normal((-1.2, 0.3), 0.9, (500, 2)), rng.normal((0.5, -1.0), 0.6, (300, 2))])
    new = rng.normal((1.1, 0.6), (0.9, 0.7), (555, 2))
    return DriftReport(
        agent="sentiment",
        drifted=True,
        reason="embeddings of the current window differ (energy distance 0.214, p < 0.001)",
        reference_rows=800,
        current_rows=555,
        alpha=0.01,
        tests=(
            DriftTest(name="energy distance", statistic=0.214, p_value=0.0005, drifted=True),
            DriftTest(name="label shares", statistic=41.2, p_value=0.0002, drifted=True),
        ),
        reference_shares={"negative": 0.21, "neutral": 0.37, "positive": 0.42},
        current_shares={"negative": 0.39, "neutral": 0.29, "positive": 0.32},
        reference_points=tuple((float(x), float(y)) for x, y in old),
        current_points=tuple((float(x), float(y)) for x, y in new),
        moved_most=("negative",),
    )


def compared(name: str, difference: float, p: float, rows: int, margin: float = 0.0) -> TestResult:
    """Make a paired comparison."""
    return TestResult(
        name=name, method="exact McNemar", rows=rows, challenger=0.71 + difference, champion=0.71,
        difference=difference, p_value=p, alpha=0.05, margin=margin, passed=(p < 0.05) == (not margin),
    )  # fmt: skip


def rails() -> tuple[Guardrail, ...]:
    """Make the three guardrails, one without a limit."""
    return (
        Guardrail(name="latency_ms", value=9.7, limit=25, passed=True),
        Guardrail(name="calibration_error", value=0.041, limit=0.1, passed=True),
        Guardrail(name="size_mb", value=86.7, limit=None, passed=True),
    )


def gates() -> tuple[GateReport, GateReport]:
    """Make a first gate against baselines and a second one against a champion."""
    first = GateReport(
        verdict="promote",
        reason="the first version beats every baseline",
        baselines=(compared("majority", 0.31, 0.0001, 612), compared("tfidf", 0.09, 0.0004, 612)),
        guardrails=rails(),
        rows=612,
    )
    second = GateReport(
        verdict="promote",
        reason="better on the current window (p = 0.003) and no slice is harmed",
        superiority=compared("current window", 0.05, 0.003, 555),
        slices=(
            compared("reference window", -0.008, 0.62, 612, 0.02),
            compared("domain=reviews", 0.061, 0.97, 555, 0.02),
            compared("length=short", 0.012, 0.81, 204, 0.02),
            compared("length=long", -0.015, 0.55, 122, 0.02),
            compared("label=negative", 0.082, 0.99, 216, 0.02),
        ),
        too_small={"label=neutral & long": 31},
        guardrails=rails(),
        rows=555,
    )
    return first, second


def steps(hit: bool) -> tuple[Step, ...]:
    """Make the steps of a round, ingest served from the cache if `hit`."""
    cached = Step(name="ingest", seconds=0.1, cache="hit", reason="content, config and code are the same")
    fresh = Step(name="ingest", seconds=2.1, cache="miss", reason="first run with these sources")
    return (
        cached if hit else fresh,
        Step(name="preprocess", seconds=1.4, cache="miss", reason="models/adapters/text.py changed"),
        Step(name="fine_tune", seconds=41.3, cache="miss", reason="first run with this snapshot"),
        Step(name="evaluate", seconds=6.2, cache="miss", reason="new model"),
        Step(name="register", seconds=8.9, reason="side effect: never cached"),
        Step(name="gate", seconds=0.3),
        Step(name="promote", seconds=0.2, reason="side effect: never cached"),
    )


def move(number: int, at: datetime, new: int, kind: str = "promotion", agent: str = "sentiment") -> Move:
    """Make one line of the ledger."""
    return Move(
        id=number, agent=agent, from_version=new - 1 or None, to_version=new, actor="flow retrain",
        reason="better on the current window (p = 0.003)", kind=kind, state="done", at=at, done_at=at,
    )  # fmt: skip


def decision(agent: str, new: int) -> PromotionDecision:
    """Promote a version."""
    return PromotionDecision(
        agent=agent, verdict="promoted", champion=new, challenger=new, previous=new - 1 or None,
        reason="better on the current window",
    )  # fmt: skip


def sentiment() -> AgentStory:
    """Tell of an agent that was trained and then retrained after drift."""
    first, second = gates()
    links = (
        Link(name="MLflow run", target="8c1d7f2a90b64d0e"),
        Link(name="model", target="models:/sentiment/2"),
    )
    data = snapshot("text_classification", MOODS, 4080)
    one = Round(
        flow="train", version=1, snapshots=(data,), training=training(0.73),
        evaluation=with_robustness(evaluation("sentiment", MOODS, 0.72, 612)), gate=first,
        decision=decision("sentiment", 1), steps=steps(False), links=links,
    )  # fmt: skip
    two = Round(
        flow="retrain", version=2, snapshots=(data, data), training=training(0.77),
        evaluation=evaluation("sentiment", MOODS, 0.76, 555),
        champion_evaluation=evaluation("sentiment", MOODS, 0.71, 555), drift=drift(), gate=second,
        decision=decision("sentiment", 2),
        steps=(Step(name="check_drift", seconds=3.3, cache="miss", reason="new window"), *steps(True)),
        links=links,
    )  # fmt: skip
    moves = (move(1, START, 1), move(2, START + timedelta(minutes=3), 2))
    about = config("sentiment", "text_classification", MOODS)
    return AgentStory(config=about, rounds=(one, two), moves=moves)


def address() -> AgentStory:
    """Tell of an agent with 25 labels that was trained once."""
    turn = Round(
        flow="train", version=1, snapshots=(snapshot("token_classification", PARTS, 1480),),
        training=training(0.95), evaluation=evaluation("address", PARTS, 0.941, 222),
        gate=gates()[0], decision=decision("address", 1), steps=steps(False),
        links=(Link(name="model", target="models:/address/1"),),
    )  # fmt: skip
    about = config("address", "token_classification", PARTS)
    at = START + timedelta(minutes=2)
    return AgentStory(config=about, rounds=(turn,), moves=(move(1, at, 1, agent="address"),))


def full_story() -> Story:
    """Tell everything."""
    home = Link(name="home", target="/home/ana/work/.quickstudy")
    made = START + timedelta(minutes=4)
    return Story(made_at=made, agents=(sentiment(), address()), links=(home,))


@pytest.fixture(scope="session")
def story() -> Story:
    """Give the full story."""
    return full_story()
