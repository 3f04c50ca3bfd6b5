"""Flow `tune`: search an agent's ranges by trainings on its own rows, and propose the best description."""

from prefect import flow
from prefect.task_runners import ThreadPoolTaskRunner
from prefect.transactions import CommitMode, transaction

from flows.placement import place
from flows.trial import try_out
from models.errors import ConfigError, DataError, TrainingError
from models.schemas import AgentConfig
from models.schemas.trials import Search, SearchReport, TrialReport
from tasks.caching import effect_step
from tasks.ingest import ingest
from tasks.io.home import current_home
from tasks.io.search.claims import Claim, claimed
from tasks.io.search.coordinator import conclude, take_up
from tasks.open_search import open_search
from tasks.reconcile import reconcile
from tasks.report_search import report_search
from tasks.stand_on_start import stand_on_start

_MOST_WORKERS = 64


@flow(
    name="tune",
    flow_run_name="tune-{config.name}",
    validate_parameters=True,
    task_runner=ThreadPoolTaskRunner(max_workers=_MOST_WORKERS),  # type: ignore[arg-type] # Prefect's own
)
def tune(config: AgentConfig) -> SearchReport:
    """Search an agent's ranges and propose the best; nothing is registered, and no held-out row is read.

    Args:
        config: The agent's description, with `search`.
    """
    reconcile(config.name)
    standing = stand_on_start(config)
    snapshot = ingest(standing)
    search = open_search(standing, snapshot)
    workers = [work.submit(search) for _ in range(config.search_workers)]
    for worker in workers:
        worker.result()
    return report_search(search, config)


@effect_step
def work(search: Search) -> None:
    """Try one trial after the other until the budget is spent.

    Args:
        search: The search; other workers, here and in other processes, share its trials.
    """
    home = current_home()
    # Else the steps below would keep their results to themselves until this task ends.
    with transaction(commit_mode=CommitMode.EAGER):
        while True:
            with claimed(home.search_url, home.books().ledger, search) as claim:
                if claim is None:
                    return
                report = take_up(home, search, claim) or _tried(search, claim)
                conclude(home, search, claim, report)


def _tried(search: Search, claim: Claim) -> TrialReport:
    """Train a trial where the agent's heavy steps run; what its own values spoil is its failure alone."""
    try:
        return place(try_out, search.config.work_pool, search=search, trial=claim.trial)
    except (ConfigError, DataError, TrainingError) as error:
        return TrialReport(state="failed", reason=str(error))
