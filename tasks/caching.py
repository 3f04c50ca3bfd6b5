"""How a step becomes a Prefect task: cached by content where that is safe, retried where a fault can pass."""

import functools
import inspect
import json
import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from prefect import Task, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.context import TaskRunContext
from prefect.runtime import flow_run
from prefect.tasks import exponential_backoff
from sqlalchemy.exc import OperationalError

from models.errors import TransientError
from models.schemas import AgentConfig
from tasks.io.home import current_home
from tasks.io.step_keys import KeyHistory, step_key
from tasks.io.stored_results import why_useless

P = ParamSpec("P")
R = TypeVar("R")

logger = logging.getLogger(__name__)

RETRIES = 3
PASSING_FAULTS = (TransientError, OperationalError, ConnectionError, TimeoutError)


def can_pass(task: Task[..., Any], task_run: TaskRun, state: State[Any]) -> bool:  # noqa: ARG001 - Prefect's names
    """Say whether a failed attempt may be repeated: never for bad data or a bad config."""
    try:
        state.result()
    except PASSING_FAULTS:
        return True
    except BaseException:  # noqa: BLE001 - the state holds any error; it is judged, not swallowed
        return False
    return False


def step_log() -> Path:
    """Give the file that collects what the steps of the present run did."""
    run = str(flow_run.root_flow_run_id or flow_run.id or "none")
    folder = current_home().cache / "runs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{run}.jsonl"


def note_step(agent: str, step: str, seconds: float, reason: str) -> None:
    """Add one line about a finished step: how long it took and why it ran, or that it did not."""
    logger.info("%s: %s %.1f s (%s)", agent, step, seconds, reason)
    line = {"agent": agent, "step": step, "seconds": round(seconds, 3), "reason": reason}
    with step_log().open("a") as stream:
        stream.write(json.dumps(line) + "\n")


def _agent_of(arguments: Mapping[str, Any]) -> str:
    """Name the agent that a step works for: its config's name, or what an argument says."""
    for value in arguments.values():
        if isinstance(value, AgentConfig):
            return value.name
    found = [str(value.agent) for value in arguments.values() if hasattr(value, "agent")]
    return str(arguments.get("agent") or (found[0] if found else "all"))


def _cache_key(
    module: str, also: frozenset[str], aside: frozenset[str], content: Callable[..., Any] | None
) -> Callable[[TaskRunContext, dict[str, Any]], str | None]:
    """Make the key function of a step; it also records why the step hits or misses."""

    def key_of(context: TaskRunContext, arguments: dict[str, Any]) -> str | None:  # noqa: ARG001 - Prefect's names
        inputs = dict(arguments)
        if content is not None:
            inputs["content"] = content(**arguments)
            if inputs["content"] is None:
                return None
        key, agent, home = step_key(module, inputs, also, aside), _agent_of(arguments), current_home()
        history, stored = KeyHistory(home.cache / "keys"), home.results / key.digest
        useless = why_useless(stored) if stored.exists() else None
        if useless:
            stored.unlink()
        if stored.exists():
            stored.touch()  # what is in use is not garbage
            note_step(agent, key.step, 0.0, "hit: same inputs, config and code")
        else:
            _REASONS[agent, key.step] = useless or history.explain(agent, key)
        history.remember(agent, key)
        return key.digest

    return key_of


_REASONS: dict[tuple[str, str], str] = {}


def _timed(step: str, function: Callable[P, R]) -> Callable[P, R]:
    signature = inspect.signature(function)

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        start = time.monotonic()
        result = function(*args, **kwargs)
        agent = _agent_of(signature.bind(*args, **kwargs).arguments)
        reason = _REASONS.pop((agent, step), None)
        note_step(agent, step, time.monotonic() - start, f"miss: {reason}" if reason else "never cached")
        return result

    return run


def cached_step(
    module: str,
    also: frozenset[str] = frozenset(),
    aside: frozenset[str] = frozenset(),
    content: Callable[..., Any] | None = None,
) -> Callable[[Callable[P, R]], Task[P, R]]:
    """Make a Prefect task whose result is reused while inputs, config and code stay the same.

    Args:
        module: The step's module (`__name__`); its last part names the step.
        also: Config fields that count for this step although others ignore them.
        aside: Config fields that this step does not read, so that it hits whatever they are.
        content: Called with the step's arguments, gives what the addresses among them hold now;
            None means that can't be told, and the step runs every time.
    """

    def wrap(function: Callable[P, R]) -> Task[P, R]:
        name = module.rpartition(".")[2]
        return task(
            name=name,
            cache_key_fn=_cache_key(module, also, aside, content),
            persist_result=True,
            result_serializer="json",
            retries=RETRIES,
            retry_delay_seconds=exponential_backoff(backoff_factor=1),
            retry_jitter_factor=0.5,
            retry_condition_fn=can_pass,
        )(_timed(name, function))

    return wrap


def effect_step(function: Callable[P, R]) -> Task[P, R]:
    """Make a Prefect task that changes the world: never cached, retried where a fault can pass."""
    name = function.__name__
    return task(
        name=name,
        cache_policy=NO_CACHE,
        persist_result=False,
        retries=RETRIES,
        retry_delay_seconds=exponential_backoff(backoff_factor=1),
        retry_jitter_factor=0.5,
        retry_condition_fn=can_pass,
    )(_timed(name, function))
