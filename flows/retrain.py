"""Flow `retrain`: look at a new window; if the world drifted, let a challenger try."""

from prefect import flow

from flows.challenge import challenge
from models.schemas import AgentConfig, DatasetSnapshot, DriftReport, PromotionDecision, SourceConfig
from tasks.champion import champion_to_renew
from tasks.check_drift import check_drift
from tasks.ingest import ingest
from tasks.io.champion import Champion
from tasks.io.drifting import Rows, reason_to_keep
from tasks.io.report.story import Round, Story
from tasks.new_rows import new_rows
from tasks.recall import recall
from tasks.reconcile import reconcile
from tasks.report import report
from tasks.stand_on_start import stand_on_start


@flow(name="retrain", flow_run_name="retrain-{config.name}", validate_parameters=True)
def retrain(config: AgentConfig, window: tuple[SourceConfig, ...] = (), force: bool = False) -> Story:
    """Check a new window for drift, train a challenger on old and new rows, and let the gate decide.

    Args:
        config: The agent's description.
        window: Sources of the new window; by default the agent's own sources, read again.
        force: Train a challenger even if nothing drifted; but never the champion over again.
    """
    reconcile(config.name)
    config = stand_on_start(config)
    champion = champion_to_renew(config.name)
    done = _round(config, champion, window, force) if champion else _first(config, window)
    return report((config,), {config.name: [done]})


def _first(config: AgentConfig, window: tuple[SourceConfig, ...]) -> Round:
    """Train on everything, as there is no champion to compare a window with."""
    whole = config.model_copy(update={"sources": (*config.sources, *window)})
    snapshot = ingest(whole)
    return challenge(whole, snapshot, window=snapshot)


def _round(config: AgentConfig, champion: Champion, window: tuple[SourceConfig, ...], force: bool) -> Round:
    seen = ingest(config, window)
    rows = new_rows(config, champion, seen)
    if rows.nothing_to_learn or not (rows.new or force):
        return recall(champion)
    drift = check_drift(config, champion, seen) if rows.enough else None
    keep = None if force else reason_to_keep(champion.version, rows, drift)
    if keep:
        return _kept(champion, seen, keep, drift)
    wider = champion.widened(config, window)
    done = challenge(wider, ingest(wider), window=seen, drift=drift)
    return done if done.drift else _unchecked(done, rows)


def _kept(champion: Champion, window: DatasetSnapshot, reason: str, drift: DriftReport | None) -> Round:
    decision = PromotionDecision(
        agent=champion.agent, verdict="kept", champion=champion.version, challenger=None, reason=reason
    )
    return Round(flow="retrain", snapshots=(window,), drift=drift, decision=decision)


def _unchecked(done: Round, rows: Rows) -> Round:
    """Say beside the verdict that there was no drift check."""
    if done.decision is None:
        return done
    reason = f"{rows.unchecked} {done.decision.reason}"
    return done.model_copy(update={"decision": done.decision.model_copy(update={"reason": reason})})
