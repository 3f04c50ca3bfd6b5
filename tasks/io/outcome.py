"""From a verdict to the champion alias: move it, or say why it stays."""

from dataclasses import dataclass
from typing import Protocol

from models.schemas import GateReport, PromotionDecision
from tasks.io.books import Books
from tasks.io.digests import digest_of
from tasks.io.incumbent import Unusable
from tasks.io.ledger import IntentRequest, champion, history
from tasks.io.promotion import promote

_STAYS = {
    "keep": "kept",
    "not_enough_data": "not_enough_data",
    "not_enough_fresh_data": "not_enough_fresh_data",
}


class Versioned(Protocol):
    """A version of an agent or of a start."""

    @property
    def version(self) -> int:
        """Its number in the registry."""


@dataclass(frozen=True)
class Judged:
    """A version with its verdict.

    Args:
        agent: The agent, or the start as the registry knows it.
        version: The challenger.
        compared: The champion that it was compared with; None where there was none, or none of use.
        unusable: A champion that is of no use, if that is why.
        report: The gate's verdict.
    """

    agent: str
    version: int
    compared: Versioned | None
    unusable: Unusable | None
    report: GateReport


def carry_out(books: Books, judged: Judged) -> PromotionDecision:
    """Do what the gate said, once: a version that was promoted before is never promoted again by itself.

    Args:
        books: The record.
        judged: Who was judged, and how.

    Raises:
        LedgerError: The champion changed since the verdict.
    """
    agent, version, report = judged.agent, judged.version, judged.report
    present = champion(books.ledger, agent)
    reason = f"{report.reason} {judged.unusable}" if judged.unusable else report.reason
    told: dict[str, str | int] = {"agent": agent, "challenger": version, "reason": reason}
    if report.verdict != "promote":
        return PromotionDecision.model_validate(
            {**told, "verdict": _STAYS[report.verdict], "champion": present}
        )
    if any(m.to_version == version and m.state == "done" for m in history(books.ledger, agent)):
        if present is None:
            told["reason"] = (
                f"{reason} It was champion once; `quickstudy promote {agent} {version}` restores it."
            )
        return PromotionDecision.model_validate({**told, "verdict": "already_decided", "champion": present})
    expected = judged.compared or judged.unusable
    move = promote(
        books,
        IntentRequest(
            agent=agent,
            to_version=version,
            expected_from=expected.version if expected else None,
            reason=reason,
            actor="gate",
            evidence={"gate": digest_of(report)},
        ),
    )
    return PromotionDecision.model_validate(
        {**told, "verdict": "promoted", "champion": version, "previous": move.from_version}
    )
