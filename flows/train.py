"""Flow `train`: from an agent's sources to a version that the gate has judged."""

from prefect import flow

from flows.challenge import challenge
from models.schemas import AgentConfig
from tasks.ingest import ingest
from tasks.io.report.story import Story
from tasks.reconcile import reconcile
from tasks.report import report
from tasks.stand_on_start import stand_on_start


@flow(name="train", flow_run_name="train-{config.name}", validate_parameters=True)
def train(config: AgentConfig) -> Story:
    """Make or renew an agent: ingest, preprocess, fine-tune, evaluate, register, gate, promote.

    Args:
        config: The agent's description.
    """
    reconcile(config.name)
    config = stand_on_start(config)
    snapshot = ingest(config)
    done = challenge(config, snapshot, window=snapshot)
    return report((config,), {config.name: [done]})
