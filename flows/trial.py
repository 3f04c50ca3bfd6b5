"""Flow `trial`: one training of a search, alone, so that a work pool can take it."""

from prefect import flow

from flows.encode import encode
from models.schemas.search import with_values
from models.schemas.trials import Search, Trial, TrialReport
from tasks.train_trial import train_trial


@flow(
    name="trial",
    flow_run_name="{trial.study}-{trial.number}",
    persist_result=True,
    result_serializer="json",
    validate_parameters=True,
)
def try_out(search: Search, trial: Trial) -> TrialReport:
    """Train an agent with a trial's values, and end it early where its validation curve lags behind.

    Args:
        search: The search.
        trial: The values to try.
    """
    encoded = encode(with_values(search.config, trial.values), search.snapshot)
    return train_trial(search, trial, encoded)
