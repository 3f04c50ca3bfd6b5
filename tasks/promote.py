"""Step `promote`: the alias moves, or stays."""

from models.schemas import AgentConfig, GateReport, PromotionDecision
from tasks.caching import effect_step
from tasks.io.champion import Champion
from tasks.io.home import current_home
from tasks.io.incumbent import sound_version, unusable_champion
from tasks.io.outcome import Judged, carry_out


@effect_step
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
    books = current_home().books()
    unusable = None if champion else unusable_champion(books, config.name, sound_version)
    return carry_out(books, Judged(config.name, version, champion, unusable, gate))
