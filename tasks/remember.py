"""Step `remember`: what a verdict rests on, kept with the version before the champion moves."""

from models.schemas import AgentConfig
from tasks.caching import effect_step
from tasks.io.home import current_home
from tasks.io.report.evidence import keep_evidence
from tasks.io.report.story import Round


@effect_step
def remember(config: AgentConfig, told: Round) -> Round:
    """Keep a round's evidence, or add what was kept when its verdict was found.

    Args:
        config: The agent.
        told: The round up to its verdict.
    """
    return keep_evidence(current_home().books(), config.name, told)
