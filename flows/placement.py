"""Where a heavy flow runs: in this process, or in a work pool under the same name.

Work pools take flow runs, never tasks, so every heavy step is a flow of its own. What crosses is JSON:
configs, and artifacts' addresses with digests. Prefect's server keeps a run under its idempotency key for
ever, so the key holds the flow's inputs, config and code, and the number of the attempt: an earlier run
that failed, or whose artifacts are gone, is left behind for the next one.
"""

import json
import logging
import time
from collections.abc import Iterator
from typing import Any, TypeVar, get_type_hints

from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun, State
from prefect.deployments import run_deployment
from prefect.exceptions import MissingResult, ObjectNotFound
from pydantic import TypeAdapter

from models.errors import ArtifactError, ConfigError, TrainingError
from models.schemas import ArtifactRef
from models.schemas.base import Record
from tasks.io.digests import checked
from tasks.io.step_keys import step_key

R = TypeVar("R", bound=Record)

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 5
_POLL_SECONDS = 5.0


def place(flow: Flow[..., R], work_pool: str | None, **parameters: Record | str | None) -> R:
    """Run a heavy flow and give its record back.

    Args:
        flow: The flow; its deployment is called `<flow name>/<work pool>`.
        work_pool: Name of the Prefect work pool; None calls the flow directly.
        **parameters: The flow's parameters.

    Raises:
        ConfigError: The flow has no deployment for that pool.
        TrainingError: The placed run did not complete.
    """
    if work_pool is None:
        return flow(**parameters)
    deployment = f"{flow.name}/{work_pool}"
    plain = {k: v.model_dump(mode="json") if isinstance(v, Record) else v for k, v in parameters.items()}
    # The same inputs asked for twice join the run that is already there.
    run = join_run(deployment, plain, step_key(flow.fn.__module__, parameters).digest)
    # Another process's record may come back as the plain values it was written with.
    kind: TypeAdapter[R] = TypeAdapter(get_type_hints(flow.fn)["return"])
    return kind.validate_python(_result(_finished(run), deployment))


def join_run(deployment: str, parameters: dict[str, Any], key: str) -> FlowRun:
    """Give the run of these inputs that is under way or whose result is of use, a new one if there is none.

    Args:
        deployment: `<flow name>/<deployment name>`.
        parameters: The flow's parameters as JSON.
        key: What the result stands on: inputs, config and code.

    Raises:
        ConfigError: There is no such deployment.
        TrainingError: Every attempt was made and came to nothing.
    """
    for attempt in range(1, MOST_ATTEMPTS + 1):
        run = _submit(deployment, parameters, f"{key}-{attempt}")
        useless = uselessness(run.state)
        if useless is None:
            return run
        logger.warning("Run %r of %s is left behind: %s", run.name, deployment, useless)
    raise TrainingError(
        f"{MOST_ATTEMPTS} runs of {deployment} on the same inputs came to nothing, the last because: "
        f"{useless}. Mend the cause; then delete these runs in the Prefect UI to try again."
    )


def uselessness(state: State[Any] | None) -> str | None:
    """Say why a run that was there before is of no use; None: it is under way, or its result is whole."""
    if state is None or not state.is_final():
        return None
    if not state.is_completed():
        return f"it ended as {state.name}: {state.message}"
    try:
        for reference in _references(state.result(retry_result_failure=False)):
            checked(reference)
    except ArtifactError as error:
        return str(error)
    except (MissingResult, ValueError, OSError) as error:
        return f"its result can not be read ({error})"
    return None


def _references(value: object) -> Iterator[ArtifactRef]:
    """Find every artifact that a record, or its plain values, refers to."""
    if isinstance(value, Record):
        value = value.model_dump()
    if isinstance(value, dict) and value.keys() == ArtifactRef.model_fields.keys():
        yield ArtifactRef.model_validate(value)
    elif isinstance(value, (list, tuple, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _references(item)


def _submit(deployment: str, parameters: dict[str, Any], key: str) -> FlowRun:
    try:
        run = run_deployment(name=deployment, parameters=parameters, idempotency_key=key, timeout=0)
    except ObjectNotFound as error:
        flow, _, pool = deployment.partition("/")
        raise ConfigError(
            f"There is no deployment {deployment!r} on this Prefect server. Deploy flow {flow!r} under the "
            f"name {pool!r} to work pool {pool!r}, or leave `work_pool` out to run it here."
        ) from error
    if not isinstance(run, FlowRun):
        raise TrainingError(f"Deployment {deployment} gave no run, but a {type(run).__name__}.")
    return run


def _finished(run: FlowRun) -> FlowRun:
    with get_client(sync_client=True) as client:
        while run.state is None or not run.state.is_final():
            time.sleep(_POLL_SECONDS)
            run = client.read_flow_run(run.id)
    return run


def _result(run: FlowRun, deployment: str) -> Any:  # noqa: ANN401 - what a flow returns is not in Prefect's types
    if run.state is None or not run.state.is_completed():
        ended = f"{run.state.name}: {run.state.message}" if run.state else "nothing"
        raise TrainingError(
            f"Run {run.name!r} of {deployment} ended as {ended}. "
            f"Its log is at {json.dumps(str(run.id))} in the Prefect UI."
        )
    return run.state.result(raise_on_failure=True)
