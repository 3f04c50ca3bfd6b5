"""The study behind a search, in SQL: its name, its storage, what chooses the next trial and what ends one.

Trials are drawn from a sampler made anew for each, seeded by the agent's seed and the trial's number: a
search that was killed goes on with the draws that it would have made.
"""

import importlib.util
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

from models.errors import MissingExtraError
from models.schemas import AgentConfig, DatasetSnapshot
from models.schemas.search import SearchRange
from tasks.io.ledger.engine import BUSY_SECONDS
from tasks.io.step_keys import StepKey, step_key

if TYPE_CHECKING:
    from optuna import Study
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler
    from optuna.storages import RDBStorage

SCHEMA = "quickstudy_searches"
"""The tables' schema on a server: their names are plain words that another program may use as well."""

_STARTUP_TRIALS = 8
_UNPRUNED_TRIALS = 4
_DECISIVE = frozenset({"search", "search_method", "search_pruner"})


def check_installed() -> None:
    """Make sure that optuna is there.

    Raises:
        MissingExtraError: It is not.
    """
    if importlib.util.find_spec("optuna") is None:
        raise MissingExtraError("A search needs optuna, which is an extra: pip install 'quickstudy[tune]'.")


def study_key(config: AgentConfig, snapshot: DatasetSnapshot) -> StepKey:
    """Tell one search from another: by description, ranges, rows and code; a larger budget goes on."""
    return step_key("tasks.train_trial", {"config": config, "snapshot": snapshot}, also=_DECISIVE)


def study_name(config: AgentConfig, key: StepKey) -> str:
    """Name a study for people and for SQL."""
    return f"{config.name}-{key.digest.rpartition('-')[2][:16]}"


def make_study(url: str, name: str) -> None:
    """Make the tables and the study where they are not there yet; one process at a time."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = _storage(url, make=True)
    optuna.create_study(storage=storage, study_name=name, direction="maximize", load_if_exists=True)


def open_study(url: str, name: str, config: AgentConfig, number: int = 0) -> "Study":
    """Open a study that is there.

    Args:
        url: SQLAlchemy URL of the searches.
        name: The study's name.
        config: The agent with its search.
        number: The trial that will be drawn.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.load_study(
        study_name=name,
        storage=_storage(url, make=False),
        sampler=sampler_for(config, number),
        pruner=pruner_for(config),
    )


def _storage(url: str, *, make: bool) -> "RDBStorage":
    """Open the tables; who makes them also checks that they are of this optuna's kind."""
    from optuna.storages import RDBStorage

    address, options = make_url(url), dict[str, Any](poolclass=NullPool)
    if address.get_backend_name() == "sqlite":
        options |= {"connect_args": {"timeout": BUSY_SECONDS}}
    else:
        if make:
            _make_schema(url)
        address = address.update_query_dict({"options": f"-csearch_path={SCHEMA}"})
    return RDBStorage(
        address.render_as_string(hide_password=False),
        engine_kwargs=options,
        skip_table_creation=not make,
        skip_compatibility_check=not make,
    )


def _make_schema(url: str) -> None:
    with create_engine(url, poolclass=NullPool).begin() as connection:
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))


def sampler_for(config: AgentConfig, number: int) -> "BaseSampler":
    """Make what chooses trial `number`.

    `tpe` is the tree-structured Parzen estimator (Bergstra, Bardenet, Bengio, Kegl: Algorithms for
    Hyper-Parameter Optimization, NIPS 2011), drawing all fields together, after eight random trials.
    """
    from optuna.samplers import RandomSampler, TPESampler

    seed = int(np.random.SeedSequence([config.seed, number]).generate_state(1)[0])
    if config.search_method == "random":
        return RandomSampler(seed=seed)
    return TPESampler(seed=seed, n_startup_trials=_STARTUP_TRIALS)


def pruner_for(config: AgentConfig) -> "BasePruner":
    """Make what ends trials early, after each pass over the rows.

    `median`: a trial whose best score so far is below the median of the others' scores at the same place,
    once four have ended. `hyperband`: Li, Jamieson, DeSalvo, Rostamizadeh, Talwalkar: Hyperband,
    arXiv:1603.06560, passes over the rows being the resource.
    """
    from optuna.pruners import HyperbandPruner, MedianPruner, NopPruner

    if config.search_pruner == "none":
        return NopPruner()
    if config.search_pruner == "median":
        return MedianPruner(n_startup_trials=_UNPRUNED_TRIALS)
    return HyperbandPruner(min_resource=1, max_resource=_most_epochs(config))


def _most_epochs(config: AgentConfig) -> int:
    wanted = config.search.get("epochs", (config.epochs,))
    if isinstance(wanted, SearchRange):
        return int(wanted.high)
    return max(int(choice) for choice in wanted if choice is not None)
