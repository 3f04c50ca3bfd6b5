"""The history of every agent's champion, in SQL: who moved it, when, why, and on which evidence."""

from tasks.io.ledger.decisions import Decision, decisions, find_decision, record_decision, uses
from tasks.io.ledger.engine import open_ledger
from tasks.io.ledger.leases import Lease, lease
from tasks.io.ledger.moves import (
    IntentRequest,
    agents,
    champion,
    champion_on,
    close_intent,
    earlier_champions,
    history,
    open_intent,
    pending,
    record_observed,
)

__all__ = [
    "Decision",
    "IntentRequest",
    "Lease",
    "agents",
    "champion",
    "champion_on",
    "close_intent",
    "decisions",
    "earlier_champions",
    "find_decision",
    "history",
    "lease",
    "open_intent",
    "open_ledger",
    "pending",
    "record_decision",
    "record_observed",
    "uses",
]
