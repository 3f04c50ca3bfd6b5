"""Step `judge`: the gate's verdict on a challenger, remembered in the ledger."""

from models.schemas import AgentConfig, DatasetSnapshot, GateReport
from tasks.caching import effect_step
from tasks.io.champion import Champion
from tasks.io.home import current_home
from tasks.io.judging import Contest, Occasion, judge_contest, older_rows
from tasks.io.verdicts import earlier_verdict


@effect_step
def verdict_on(config: AgentConfig, occasion: Occasion) -> GateReport | None:
    """Give the verdict that was found already, if there is one.

    Args:
        config: The agent; its gate fields are the rules.
        occasion: The versions and the rows.
    """
    return earlier_verdict(current_home().books(), config.name, occasion.version, occasion.key(config))


@effect_step
def older_snapshots(
    config: AgentConfig, occasion: Occasion, pinned: Champion | None
) -> tuple[DatasetSnapshot, ...]:
    """Give the snapshots with held-out rows that the challenger's lacks.

    Args:
        config: The agent; `labels` is used.
        occasion: The versions and the rows.
        pinned: The pinned version, if there is one.
    """
    return older_rows(config, occasion, pinned)


@effect_step
def judge(config: AgentConfig, contest: Contest) -> GateReport:
    """Ask the gate whether a challenger may become champion.

    Args:
        config: The agent; its gate fields are the rules.
        contest: Who is compared with whom.
    """
    return judge_contest(current_home().books(), config, contest)
