"""From rows to a decision: what `train` and `retrain` have in common."""

from flows.encode import encode
from flows.fine_tune import fine_tune
from flows.placement import place
from models.schemas import AgentConfig, DatasetSnapshot, DriftReport, EvaluationReport
from tasks.champion import champion_of, version_of
from tasks.evaluate import evaluate
from tasks.io.champion import Champion
from tasks.io.judging import Contest, Occasion, OlderRows
from tasks.io.report.story import Round
from tasks.judge import judge, older_snapshots, verdict_on
from tasks.promote import promote
from tasks.register import register
from tasks.remember import remember


def challenge(
    config: AgentConfig, snapshot: DatasetSnapshot, window: DatasetSnapshot, drift: DriftReport | None = None
) -> Round:
    """Train a challenger on `snapshot` and let the gate compare it with the champion.

    Args:
        config: The agent.
        snapshot: Every row the challenger learns from or is judged on.
        window: The rows that are new now; superiority is asked for on its held-out part.
        drift: The check that called for a challenger.
    """
    champion = champion_of(config.name)
    encoded = encode(config, snapshot)
    training = place(fine_tune, config.work_pool, config=config, snapshot=snapshot, encoded=encoded)
    evaluation = evaluate(config, training.model, snapshot)
    version = register(config, snapshot, training, evaluation)
    occasion = Occasion(version=version, champion=champion, snapshot=snapshot, window=window)
    gate, incumbent = verdict_on(config, occasion), None
    if gate is None:
        contest = _contest(config, occasion, evaluation)
        gate, incumbent = judge(config, contest), contest.incumbent
    told = Round(
        flow="train" if snapshot == window else "retrain",
        version=version,
        snapshots=(snapshot,) if snapshot == window else (snapshot, window),
        training=training,
        evaluation=evaluation,
        champion_evaluation=incumbent,
        drift=drift,
        gate=gate,
        unusable=encoded.unusable,
        augmented=encoded.augmented,
    )
    kept = remember(config, told)
    return kept.model_copy(update={"decision": promote(config, version, champion, gate)})


def _contest(config: AgentConfig, occasion: Occasion, evaluation: EvaluationReport) -> Contest:
    """Evaluate champion and pinned version on the challenger's rows, and all on the rows that it lacks."""
    champion = occasion.champion
    pinned = version_of(config.name, config.anchor_version) if config.anchor_version else None
    return Contest(
        occasion=occasion,
        challenger=evaluation,
        incumbent=_evaluated(config, champion, occasion.snapshot),
        pinned=pinned,
        anchor=_evaluated(config, pinned, occasion.snapshot),
        older=tuple(
            OlderRows(
                challenger=evaluate(config, evaluation.model, snapshot, full=False),
                incumbent=_evaluated(config, champion, snapshot),
                anchor=_evaluated(config, pinned, snapshot),
            )
            for snapshot in older_snapshots(config, occasion, pinned)
        ),
    )


def _evaluated(
    config: AgentConfig, version: Champion | None, snapshot: DatasetSnapshot
) -> EvaluationReport | None:
    return evaluate(config, version.model, snapshot, full=False) if version else None
