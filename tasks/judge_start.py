"""Step `judge_start`: the gate's verdict on a new start, remembered in the ledger."""

from models.schemas import GateReport, PromotionDecision
from models.schemas.start import StartConfig, StartScores
from tasks.caching import effect_step
from tasks.io.home import current_home
from tasks.io.incumbent import unusable_champion, usable_champion
from tasks.io.outcome import Judged, carry_out
from tasks.io.start_judging import StartOccasion
from tasks.io.start_judging import judge_start as ask_gate
from tasks.io.start_version import StartVersion, comparable_with
from tasks.io.verdicts import earlier_verdict


@effect_step
def present_start(config: StartConfig) -> StartVersion | None:
    """Describe the present start; None where there is none that another can be compared with.

    Args:
        config: The start.
    """
    return usable_champion(current_home().books(), config.agent, comparable_with(config))


@effect_step
def verdict_on_start(config: StartConfig, occasion: StartOccasion) -> GateReport | None:
    """Give the verdict that was found already, if there is one.

    Args:
        config: The start; its gate fields are the rules.
        occasion: Who is compared, and on which rows.
    """
    return earlier_verdict(current_home().books(), config.agent, occasion.version, occasion.key(config))


@effect_step
def judge_start(
    config: StartConfig, occasion: StartOccasion, challenger: StartScores, incumbent: StartScores | None
) -> GateReport:
    """Ask the gate whether a start may take the present one's place.

    Args:
        config: The start; its gate fields are the rules.
        occasion: Who is compared, and on which rows.
        challenger: The new start's scores.
        incumbent: The present start's scores on the same episodes.
    """
    return ask_gate(current_home().books(), config, occasion, challenger, incumbent)


@effect_step
def promote_start(config: StartConfig, occasion: StartOccasion, gate: GateReport) -> PromotionDecision:
    """Do what the gate said.

    Args:
        config: The start.
        occasion: Who was compared.
        gate: The verdict.
    """
    books = current_home().books()
    unusable = None if occasion.champion else unusable_champion(books, config.agent, comparable_with(config))
    judged = Judged(config.agent, occasion.version, occasion.champion, unusable, gate)
    return carry_out(books, judged)
