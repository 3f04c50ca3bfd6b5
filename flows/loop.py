"""Flow `loop`: the whole story on the bundled data: train two agents, let time pass, retrain, report."""

from prefect import flow

from flows.retrain import retrain
from flows.train import train
from models.schemas import AgentConfig, SourceConfig
from tasks.io.report.story import Round, Story
from tasks.report import report


@flow(name="loop", flow_run_name="loop")
def loop(agents: tuple[AgentConfig, ...], drifting: str, window: tuple[SourceConfig, ...]) -> Story:
    """Train every agent, show one of them a later window, and write the report.

    Args:
        agents: The agents to train.
        drifting: Name of the agent whose world changes.
        window: Sources of its later window.
    """
    rounds = {config.name: _rounds(train(config)) for config in agents}
    changed = next(config for config in agents if config.name == drifting)
    rounds[drifting] += _rounds(retrain(changed, window))
    return report(agents, rounds)


def _rounds(story: Story) -> tuple[Round, ...]:
    return story.agents[0].rounds
