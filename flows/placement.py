"""Where a heavy flow runs: in this process, or in a work pool under the same name.

Work pools take flow runs, never tasks, so every heavy step is a flow of its own. What crosses is JSON:
configs, and artifacts' addresses with digests.
"""

import json
from typing import Any, TypeVar

from prefect import Flow
from prefect.client.schemas.objects import FlowRun
from prefect.deployments import run_deployment

from models.errors import TrainingError
from models.schemas.base import Record
from tasks.io.digests import digest_of

R = TypeVar("R", bound=Record)


def place(flow: Flow[..., R], work_pool: str | None, **parameters: Record | str | None) -> R:
    """Run a heavy flow and give its record back.

    Args:
        flow: The flow; its deployment is called `<flow name>/<work pool>`.
        work_pool: Name of the Prefect work pool; None calls the flow directly.
        **parameters: The flow's parameters.

    Raises:
        TrainingError: The placed run did not complete.
    """
    if work_pool is None:
        return flow(**parameters)
    plain = {k: v.model_dump(mode="json") if isinstance(v, Record) else v for k, v in parameters.items()}
    run = run_deployment(
        name=f"{flow.name}/{work_pool}",
        parameters=plain,
        # The same inputs asked for twice join the run that is already there.
        idempotency_key=digest_of([flow.name, plain]),
    )
    result: R = _result(run, f"{flow.name}/{work_pool}")
    return result


def _result(run: Any, deployment: str) -> Any:  # noqa: ANN401 - Prefect's own types are unions with coroutines
    if not isinstance(run, FlowRun) or run.state is None:
        raise TrainingError(f"Deployment {deployment} gave no run; is a worker polling its pool?")
    if not run.state.is_completed():
        raise TrainingError(
            f"Run {run.name!r} of {deployment} ended as {run.state.name}: {run.state.message}. "
            f"Its log is at {json.dumps(str(run.id))} in the Prefect UI."
        )
    return run.state.result(raise_on_failure=True)
