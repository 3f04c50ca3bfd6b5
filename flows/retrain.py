"""Flow `retrain`: look at a new window; if the world drifted, let a challenger try."""

from prefect import flow

from flows.challenge import challenge
from flows.train import train
from models.drift import FEWEST_ROWS
from models.schemas import AgentConfig, DatasetSnapshot, DriftReport, PromotionDecision, SourceConfig
from tasks.champion import champion_of
from tasks.check_drift import check_drift
from tasks.ingest import ingest
from tasks.io.champion import Champion
from tasks.io.report.story import Round, Story
from tasks.new_rows import new_rows
from tasks.recall import recall
from tasks.reconcile import reconcile
from tasks.report import report


@flow(name="retrain", flow_run_name="retrain-{config.name}", validate_parameters=True)
def retrain(config: AgentConfig, window: tuple[SourceConfig, ...] = (), force: bool = False) -> Story:
    """Check a new window for drift, train a challenger on old and new rows, and let the gate decide.

    Args:
        config: The agent's description.
        window: Sources of the new window; by default the agent's own sources, read again.
        force: Train a challenger even if nothing drifted.
    """
    reconcile(config.name)
    champion = champion_of(config.name)
    if champion is None:
        return train(config.model_copy(update={"sources": (*config.sources, *window)}))
    done = _round(config, champion, window, force)
    return report((config,), {config.name: [done]})


def _round(config: AgentConfig, champion: Champion, window: tuple[SourceConfig, ...], force: bool) -> Round:
    seen = ingest(config, window)
    fresh = new_rows(champion, seen)
    if not fresh and not force:
        return recall(champion)
    drift = check_drift(config, champion, seen) if fresh >= FEWEST_ROWS else None
    if not force and drift is None:
        reason = f"{fresh} new rows since version {champion.version} was trained; a drift check needs {FEWEST_ROWS}"
        return _kept(champion, seen, reason)
    if not force and drift and not drift.drifted:
        return _kept(champion, seen, drift.reason, drift)
    wider = champion.widened(config, window)
    return challenge(wider, ingest(wider), window=seen, drift=drift)


def _kept(
    champion: Champion, window: DatasetSnapshot, reason: str, drift: DriftReport | None = None
) -> Round:
    decision = PromotionDecision(
        agent=champion.agent, verdict="kept", champion=champion.version, challenger=None, reason=reason
    )
    return Round(flow="retrain", snapshots=(window,), drift=drift, decision=decision)
