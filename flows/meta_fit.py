"""Flow `meta_fit`: the heavy middle of `meta_train`, alone, so that a work pool can take it."""

from prefect import flow

from models.schemas.start import EpisodeRows, StartConfig, StartReport
from tasks.meta_fit import meta_fit as meta_train_start


@flow(
    name="meta-fit",
    flow_run_name="meta-fit-{config.name}",
    persist_result=True,
    result_serializer="json",
    validate_parameters=True,
)
def meta_fit(config: StartConfig, rows: EpisodeRows) -> StartReport:
    """Meta-train a start on tokenized rows, in a child process that can be ended.

    Args:
        config: The start.
        rows: The tokenized rows of its sources.
    """
    return meta_train_start(config, rows)
