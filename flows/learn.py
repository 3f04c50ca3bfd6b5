"""Flow `learn`: from a start and a file of a few examples to an agent, in seconds."""

from prefect import flow

from models.errors import ConfigError
from models.meta.adapting import check_learnable
from models.schemas import AgentConfig
from tasks.champion import champion_of
from tasks.crown import crown
from tasks.ingest import ingest
from tasks.io.judging import Contest, Occasion
from tasks.io.report.story import Round, Story
from tasks.judge import judge, verdict_on
from tasks.learn import learn as adapt
from tasks.reconcile import reconcile
from tasks.register import register
from tasks.remember import remember
from tasks.report import report
from tasks.stand_on_start import stand_on_start, start_of

_NOBODY = 1e-9
"""The share of examples that is held out: each is tried in its turn, none is set aside."""


@flow(name="learn", flow_run_name="learn-{config.name}", validate_parameters=True)
def learn(config: AgentConfig) -> Story:
    """Adapt a start to a new agent's examples, cross-validate it, register it, and let it begin to work.

    Args:
        config: The agent; its sources hold the examples, and `start` names the start.
    """
    if config.start is None:
        raise ConfigError(f"Agent {config.name!r} names no start. Add `start: NAME` to its description.")
    check_learnable(config.adapter)
    reconcile(config.name)
    config = stand_on_start(config)
    start = start_of(config)
    few = config.model_copy(
        update={
            "unit_features": True,
            "max_length": start.config.max_length,
            "stride": 0,
            "split_by": "hash",
            "validation_share": _NOBODY,
            "test_share": _NOBODY,
            # One bad row in a handful is many percent; a label that runs out of rows is refused anyway.
            "max_quarantine_share": 1.0,
        }
    )
    snapshot = ingest(few)
    champion = champion_of(config.name)
    learned = adapt(few, start.start, snapshot)
    version = register(few, snapshot, learned.training, learned.evaluation, made_by="learn")
    occasion = Occasion(version=version, champion=None, snapshot=snapshot, window=snapshot)
    gate = verdict_on(few, occasion)
    if gate is None and champion is None:
        gate = judge(few, Contest(occasion=occasion, challenger=learned.evaluation))
    told = Round(
        flow="learn",
        version=version,
        snapshots=(snapshot,),
        training=learned.training,
        evaluation=learned.evaluation,
        gate=gate,
        unusable=learned.unusable,
    )
    kept = remember(few, told)
    done = kept.model_copy(update={"decision": crown(config.name, version, gate)})
    return report((few,), {config.name: [done]})
