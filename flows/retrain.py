"""Flow `retrain`: look at a new window; if the world drifted, let a challenger try."""

from prefect import flow

from flows.challenge import challenge
from flows.train import train
from models.schemas import AgentConfig, PromotionDecision, SourceConfig
from tasks.champion import champion_of
from tasks.check_drift import check_drift
from tasks.ingest import ingest
from tasks.io.report.story import Round
from tasks.new_rows import new_rows
from tasks.reconcile import reconcile


@flow(name="retrain", flow_run_name="retrain-{config.name}", validate_parameters=True)
def retrain(config: AgentConfig, window: tuple[SourceConfig, ...] = (), force: bool = False) -> Round:
    """Check a new window for drift, train a challenger on old and new rows, and let the gate decide.

    Args:
        config: The agent's description.
        window: Sources of the new window; by default the agent's own sources, read again.
        force: Train a challenger even if nothing drifted.
    """
    reconcile(config.name)
    champion = champion_of(config.name)
    if champion is None:
        return train(config)
    seen = ingest(config, window)
    fresh = new_rows(champion, seen)
    if fresh == 0:
        return _kept(config, champion.version, f"no new rows since version {champion.version} was trained")
    drift = check_drift(config, champion, seen)
    if not drift.drifted and not force:
        kept = _kept(config, champion.version, drift.reason)
        return kept.model_copy(update={"drift": drift, "snapshots": (seen,)})
    wider = champion.widened(config, window)
    return challenge(wider, ingest(wider), window=seen, drift=drift)


def _kept(config: AgentConfig, version: int, reason: str) -> Round:
    decision = PromotionDecision(
        agent=config.name, verdict="kept", champion=version, challenger=None, reason=reason
    )
    return Round(flow="retrain", decision=decision)
