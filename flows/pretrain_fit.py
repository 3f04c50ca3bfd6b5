"""Flow `pretrain_fit`: the heavy middle of `pretrain`, alone, so that a work pool can take it."""

from prefect import flow

from models.schemas.pretrain import PackedCorpus, PretrainConfig, PretrainReport
from tasks.pretrain_fit import pretrain_fit as train_language_model


@flow(
    name="pretrain-fit",
    flow_run_name="pretrain-fit-{config.name}",
    persist_result=True,
    result_serializer="json",
    validate_parameters=True,
)
def pretrain_fit(config: PretrainConfig, packed: PackedCorpus) -> PretrainReport:
    """Pretrain a start on packed texts, in a child process that can be ended.

    Args:
        config: The start.
        packed: Its corpus in sub-words.
    """
    return train_language_model(config, packed)
