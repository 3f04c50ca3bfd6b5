"""From a verdict to the champion alias: move it, or say why it stays."""

from models.schemas import AgentConfig, GateReport, PromotionDecision
from tasks.io.books import Books
from tasks.io.champion import Champion
from tasks.io.digests import digest_of
from tasks.io.incumbent import unusable_champion
from tasks.io.ledger import IntentRequest, champion, history
from tasks.io.promotion import promote

_STAYS = {
    "keep": "kept",
    "not_enough_data": "not_enough_data",
    "not_enough_fresh_data": "not_enough_fresh_data",
}


def carry_out(
    books: Books, config: AgentConfig, version: int, compared: Champion | None, report: GateReport
) -> PromotionDecision:
    """Do what the gate said, once: a version that was promoted before is never promoted again by itself.

    Args:
        books: The record.
        config: The agent.
        version: The challenger.
        compared: The champion that it was compared with; None where there was none, or none of use.
        report: The gate's verdict.

    Raises:
        LedgerError: The champion changed since the verdict.
    """
    present = champion(books.ledger, config.name)
    unusable = None if compared else unusable_champion(books, config.name)
    reason = f"{report.reason} {unusable}" if unusable else report.reason
    told: dict[str, str | int] = {"agent": config.name, "challenger": version, "reason": reason}
    if report.verdict != "promote":
        return PromotionDecision.model_validate(
            {**told, "verdict": _STAYS[report.verdict], "champion": present}
        )
    if any(m.to_version == version and m.state == "done" for m in history(books.ledger, config.name)):
        if present is None:
            told["reason"] = (
                f"{reason} It was champion once; `quickstudy promote {config.name} {version}` restores it."
            )
        return PromotionDecision.model_validate({**told, "verdict": "already_decided", "champion": present})
    move = promote(
        books,
        IntentRequest(
            agent=config.name,
            to_version=version,
            expected_from=compared.version if compared else unusable.version if unusable else None,
            reason=reason,
            actor="gate",
            evidence={"gate": digest_of(report)},
        ),
    )
    return PromotionDecision.model_validate(
        {**told, "verdict": "promoted", "champion": version, "previous": move.from_version}
    )
