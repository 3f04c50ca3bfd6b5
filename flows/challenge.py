"""From rows to a decision: what `train` and `retrain` have in common."""

from flows.fine_tune import fine_tune
from flows.placement import place
from models.schemas import AgentConfig, DatasetSnapshot, DriftReport, EvaluationReport
from tasks.champion import champion_of, version_of
from tasks.evaluate import evaluate
from tasks.io.judging import Contest
from tasks.io.report.story import Round
from tasks.judge import judge, verdict_on
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
    gate = verdict_on(config.name, version, champion)
    incumbent = None
    if gate is None:
        incumbent = evaluate(config, champion.model, snapshot, full=False) if champion else None
        anchor = _anchor(config, snapshot)
        gate = judge(
            config,
            Contest(
                version=version,
                challenger=evaluation,
                champion=champion,
                incumbent=incumbent,
                anchor=anchor,
                window=window,
            ),
        )
    decision = promote(config, version, champion, gate)
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


def _anchor(config: AgentConfig, snapshot: DatasetSnapshot) -> EvaluationReport | None:
    """Evaluate the pinned version on the same rows, where one is pinned."""
    if config.anchor_version is None:
        return None
    return evaluate(config, version_of(config.name, config.anchor_version).model, snapshot, full=False)
