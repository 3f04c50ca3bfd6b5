"""From rows to a decision: what `train` and `retrain` have in common."""

from flows.fine_tune import fine_tune
from flows.placement import place
from models.schemas import AgentConfig, DatasetSnapshot, EvaluationReport
from tasks.champion import champion_of, version_of
from tasks.evaluate import evaluate
from tasks.io.judging import Contest, Occasion
from tasks.io.report.story import Round
from tasks.judge import judge, verdict_on
from tasks.preprocess import preprocess
from tasks.promote import promote
from tasks.register import register


def challenge(config: AgentConfig, snapshot: DatasetSnapshot, window: DatasetSnapshot) -> Round:
    """Train a challenger on `snapshot` and let the gate compare it with the champion.

    Args:
        config: The agent.
        snapshot: Every row the challenger learns from or is judged on.
        window: The rows that are new now; superiority is asked for on its held-out part.
    """
    champion = champion_of(config.name)
    encoded = preprocess(config, snapshot)
    training = place(fine_tune, config.work_pool, config=config, snapshot=snapshot, encoded=encoded)
    evaluation = evaluate(config, training.model, snapshot)
    version = register(config, snapshot, training, evaluation)
    occasion = Occasion(version=version, champion=champion, snapshot=snapshot, window=window)
    gate, incumbent = verdict_on(config, occasion), None
    if gate is None:
        contest = _contest(config, occasion, evaluation)
        gate, incumbent = judge(config, contest), contest.incumbent
    decision = promote(config, version, champion, gate)
    return Round(
        flow="train" if snapshot == window else "retrain",
        version=version,
        snapshots=(snapshot,) if snapshot == window else (snapshot, window),
        training=training,
        evaluation=evaluation,
        champion_evaluation=incumbent,
        gate=gate,
        decision=decision,
    )


def _contest(config: AgentConfig, occasion: Occasion, evaluation: EvaluationReport) -> Contest:
    """Evaluate champion and pinned version on the challenger's rows."""
    pinned = version_of(config.name, config.anchor_version) if config.anchor_version else None
    rivals = [
        evaluate(config, rival.model, occasion.snapshot, full=False) if rival else None
        for rival in (occasion.champion, pinned)
    ]
    return Contest(
        occasion=occasion, challenger=evaluation, incumbent=rivals[0], pinned=pinned, anchor=rivals[1]
    )
