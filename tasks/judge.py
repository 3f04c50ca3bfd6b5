"""Step `judge`: the gate's verdict on a challenger, remembered in the ledger."""

from models.schemas import AgentConfig, GateReport
from tasks.caching import effect_step
from tasks.io.champion import Champion
from tasks.io.home import current_home
from tasks.io.judging import Contest, earlier_verdict, judge_contest


@effect_step(__name__)
def verdict_on(agent: str, version: int, champion: Champion | None) -> GateReport | None:
    """Give the verdict that a version has had already.

    Args:
        agent: The agent's name.
        version: The version.
        champion: The present champion.
    """
    present = champion.version if champion else None
    return earlier_verdict(current_home().books(), agent, version, present)


@effect_step(__name__)
def judge(config: AgentConfig, contest: Contest) -> GateReport:
    """Ask the gate whether a challenger may become champion.

    Args:
        config: The agent; its gate fields are the rules.
        contest: Who is compared with whom.
    """
    return judge_contest(current_home().books(), config, contest)
