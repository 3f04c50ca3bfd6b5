"""Flow `fine_tune`: the heavy middle of every loop, alone, so that a work pool can take it."""

from prefect import flow

from models.schemas import AgentConfig, DatasetSnapshot, EncodedDataset, TrainingReport
from tasks.fine_tune import fine_tune as train_model


@flow(
    name="fine-tune",
    flow_run_name="fine-tune-{config.name}",
    persist_result=True,
    result_serializer="json",
    validate_parameters=True,
)
def fine_tune(config: AgentConfig, snapshot: DatasetSnapshot, encoded: EncodedDataset) -> TrainingReport:
    """Fine-tune an agent on an encoded snapshot, in a child process that can be ended.

    Args:
        config: The agent.
        snapshot: The rows, for validation.
        encoded: The tokenized rows.
    """
    return train_model(config, snapshot, encoded)
