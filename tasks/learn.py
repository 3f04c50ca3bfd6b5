"""Step `learn`: a start becomes an agent, from a handful of examples."""

from models.schemas import AgentConfig, ArtifactRef, DatasetSnapshot
from tasks.caching import cached_step
from tasks.io.home import current_home
from tasks.io.learning import Learned
from tasks.io.learning import learn as adapt
from tasks.io.step_keys import step_key


@cached_step(__name__)
def learn(config: AgentConfig, start: ArtifactRef, snapshot: DatasetSnapshot) -> Learned:
    """Adapt a start to an agent's examples.

    Args:
        config: The agent.
        start: The start's folder.
        snapshot: The examples.
    """
    inputs = {"config": config, "start": start, "snapshot": snapshot}
    name = step_key(__name__, inputs).digest.removeprefix("learn-")
    home = current_home()
    return adapt(config, start, snapshot, home.trainings / name / "model", home.evaluations / name)
