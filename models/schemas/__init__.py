"""Every record that crosses between modules."""

from models.schemas.agent import AgentConfig
from models.schemas.artifact import ArtifactRef
from models.schemas.records import (
    CurvePoint,
    DatasetSnapshot,
    DriftReport,
    DriftTest,
    EncodedDataset,
    EvaluationReport,
    GateReport,
    Guardrail,
    Metric,
    Move,
    PromotionDecision,
    ReliabilityBin,
    Robustness,
    SliceScore,
    TestResult,
    TrainingReport,
)
from models.schemas.source import SourceConfig

__all__ = [
    "AgentConfig",
    "ArtifactRef",
    "CurvePoint",
    "DatasetSnapshot",
    "DriftReport",
    "DriftTest",
    "EncodedDataset",
    "EvaluationReport",
    "GateReport",
    "Guardrail",
    "Metric",
    "Move",
    "PromotionDecision",
    "ReliabilityBin",
    "Robustness",
    "SliceScore",
    "SourceConfig",
    "TestResult",
    "TrainingReport",
]
