"""Step `crown`: an agent that was learned from a handful of examples gets to work where nobody else does."""

from models.schemas import GateReport, PromotionDecision
from tasks.caching import effect_step
from tasks.io.digests import digest_of
from tasks.io.home import current_home
from tasks.io.incumbent import sound_version, unusable_champion
from tasks.io.ledger import IntentRequest, champion, history
from tasks.io.promotion import promote


@effect_step
def crown(agent: str, version: int, gate: GateReport | None) -> PromotionDecision:
    """Make a version champion where there is none; the examples are too few for more than that.

    Args:
        agent: The agent.
        version: What was learned.
        gate: The verdict beside the baselines; None where there is a champion already.
    """
    books = current_home().books()
    present = champion(books.ledger, agent)
    told: dict[str, str | int | None] = {"agent": agent, "challenger": version, "champion": present}
    once = any(m.to_version == version and m.state == "done" for m in history(books.ledger, agent))
    if once:
        reason = f"It was champion before; `quickstudy promote {agent} {version}` restores it."
        if present == version:
            reason = "It is champion already."
        return PromotionDecision.model_validate({**told, "verdict": "already_decided", "reason": reason})
    if present is not None or gate is None:
        unusable = unusable_champion(books, agent, sound_version)
        reason = (
            f"Version {present} is champion, and examples that one of them may have learned from judge "
            f"neither. `quickstudy promote {agent} {version}` makes this one champion."
        )
        reason = f"{unusable} {reason}" if unusable else reason
        return PromotionDecision.model_validate({**told, "verdict": "kept", "reason": reason})
    if gate.verdict == "keep":
        return PromotionDecision.model_validate({**told, "verdict": "kept", "reason": gate.reason})
    reason = f"Nobody else is champion, and on its own examples, cross-validated, {_shown(agent, gate)}"
    evidence = {"gate": digest_of(gate)}
    promote(books, IntentRequest(agent, version, None, reason, "learn", evidence=evidence))
    return PromotionDecision.model_validate(
        {**told, "verdict": "promoted", "champion": version, "reason": reason}
    )


def _shown(agent: str, gate: GateReport) -> str:
    """Say what the examples show: that it beats the baselines, or nothing that the gate would go by."""
    if gate.verdict == "promote":
        return f"it beats the baselines. {gate.reason}"
    return (
        f"its score is all there is: the gate has too few rows ({gate.rows}) to judge it by. Once there are "
        f"more, `quickstudy train {agent}` lets the gate decide."
    )
