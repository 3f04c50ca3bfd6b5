"""Step `learn`: a start becomes an agent, from a handful of examples."""

from prefect.logging import get_run_logger

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
    learned = adapt(config, start, snapshot, home.trainings / name / "model", home.evaluations / name)
    score = learned.evaluation.metrics[learned.evaluation.primary]
    get_run_logger().info(
        "%s: %s %.3f (%.3f to %.3f) on %d examples, each answered from the others",
        config.name, learned.evaluation.primary, score.value, score.low, score.high, score.rows,
    )  # fmt: skip
    return learned
