"""Step `evaluate`: how good a model is on held-out rows, with intervals, slices and baselines."""

from models.schemas import AgentConfig, ArtifactRef, DatasetSnapshot, EvaluationReport
from models.schemas.agent import ROBUSTNESS_FIELDS
from tasks.caching import cached_step
from tasks.io.evaluation import evaluate_model
from tasks.io.home import current_home
from tasks.io.step_keys import step_key


@cached_step(__name__, also=ROBUSTNESS_FIELDS)
def evaluate(
    config: AgentConfig, model: ArtifactRef, snapshot: DatasetSnapshot, full: bool = True
) -> EvaluationReport:
    """Evaluate a model on a snapshot's held-out rows.

    Args:
        config: The agent.
        model: The model's folder.
        snapshot: The rows.
        full: Also score baselines and the model before fine-tuning.
    """
    inputs = {"config": config, "model": model, "snapshot": snapshot, "full": full}
    out = current_home().evaluations / step_key(__name__, inputs, ROBUSTNESS_FIELDS).digest.removeprefix(
        "evaluate-"
    )
    return evaluate_model(config, model, snapshot, out, full=full)
