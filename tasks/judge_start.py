"""Step `judge_start`: the gate's verdict on a new start, remembered in the ledger."""

from typing import TypeAlias

from models.schemas import GateReport, PromotionDecision
from models.schemas.pretrain import PretrainConfig, PretrainScores
from models.schemas.start import StartConfig, StartScores
from tasks.caching import effect_step
from tasks.io.home import current_home
from tasks.io.incumbent import unusable_champion, usable_champion
from tasks.io.outcome import Judged, carry_out
from tasks.io.pretrained_judging import PretrainOccasion
from tasks.io.pretrained_judging import judge_pretrained as ask_gate_on_texts
from tasks.io.start_judging import StartOccasion
from tasks.io.start_judging import judge_start as ask_gate
from tasks.io.start_version import AnyStart, StartVersion, comparable_with
from tasks.io.verdicts import earlier_verdict

AnyOccasion: TypeAlias = StartOccasion | PretrainOccasion


@effect_step
def present_start(config: AnyStart, tokenizer: str | None = None) -> StartVersion | None:
    """Describe the present start; None where there is none that another can be compared with.

    Args:
        config: The start.
        tokenizer: Folder of its tokenizer; by default its encoder's.
    """
    return usable_champion(current_home().books(), config.agent, comparable_with(config, tokenizer))


@effect_step
def verdict_on_start(config: AnyStart, occasion: AnyOccasion) -> GateReport | None:
    """Give the verdict that was found already, if there is one.

    Args:
        config: The start; its gate fields are the rules.
        occasion: Who is compared, and on which rows.
    """
    key = occasion.key(config)
    return earlier_verdict(current_home().books(), config.agent, occasion.version, key)


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
def judge_pretrained(
    config: PretrainConfig,
    occasion: PretrainOccasion,
    challenger: PretrainScores,
    incumbent: PretrainScores | None,
) -> GateReport:
    """Ask the gate whether a pretrained start may take the present one's place.

    Args:
        config: The start; its gate fields are the rules.
        occasion: Who is compared, and on which texts.
        challenger: The new start's scores.
        incumbent: The present start's scores on the same texts.
    """
    return ask_gate_on_texts(current_home().books(), config, occasion, challenger, incumbent)


@effect_step
def promote_start(config: AnyStart, occasion: AnyOccasion, gate: GateReport) -> PromotionDecision:
    """Do what the gate said.

    Args:
        config: The start.
        occasion: Who was compared.
        gate: The verdict.
    """
    books = current_home().books()
    sound = comparable_with(config, occasion.tokenizer)
    unusable = None if occasion.champion else unusable_champion(books, config.agent, sound)
    judged = Judged(config.agent, occasion.version, occasion.champion, unusable, gate)
    return carry_out(books, judged)
