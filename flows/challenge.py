"""From rows to a decision: what `train` and `retrain` have in common."""

from flows.fine_tune import fine_tune
from flows.placement import place
from models.schemas import AgentConfig, DatasetSnapshot, DriftReport
from tasks.champion import champion_of
from tasks.evaluate import evaluate
from tasks.io.report.story import Round
from tasks.judge import judge
from tasks.preprocess import preprocess
from tasks.promote import promote
from tasks.register import register


def challenge(
    config: AgentConfig, snapshot: DatasetSnapshot, window: DatasetSnapshot, drift: DriftReport | None = None
) -> Round:
    """Train a challenger on `snapshot` and let the gate compare it with the champion.

    Args:
        config: The agent.
        snapshot: Every row the challenger learns from or is judged on.
        window: The rows that are new now; superiority is asked for on its held-out part.
        drift: What made this challenge necessary.
    """
    champion = champion_of(config.name)
    encoded = preprocess(config, snapshot)
    training = place(fine_tune, config.work_pool, config=config, snapshot=snapshot, encoded=encoded)
    evaluation = evaluate(config, training.model, snapshot)
    version = register(config, snapshot, training, evaluation)
    incumbent = evaluate(config, champion.model, snapshot, before=False) if champion else None
    gate = judge(config, version, evaluation, incumbent, window)
    decision = promote(config, version, gate)
    return Round(
        flow="retrain" if drift else "train",
        version=version,
        snapshots=(snapshot,) if snapshot == window else (snapshot, window),
        training=training,
        evaluation=evaluation,
        champion_evaluation=incumbent,
        drift=drift,
        gate=gate,
        decision=decision,
    )
