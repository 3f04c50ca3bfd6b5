"""Step `promote`: the alias moves, or stays."""

from models.schemas import AgentConfig, GateReport, PromotionDecision
from tasks.caching import effect_step
from tasks.io.champion import Champion
from tasks.io.home import current_home
from tasks.io.outcome import carry_out


@effect_step(__name__)
def promote(
    config: AgentConfig, version: int, champion: Champion | None, gate: GateReport
) -> PromotionDecision:
    """Do what the gate said.

    Args:
        config: The agent.
        version: The challenger.
        champion: The champion that it was compared with; None: with none.
        gate: The verdict.
    """
    return carry_out(current_home().books(), config, version, champion, gate)
