"""The parts of the gate: what it looks at, and its single rules; `models/gate.py` joins them."""

from models.gating.evidence import GateEvidence, Measured

__all__ = ["GateEvidence", "Measured"]
