"""Which earlier run of a placed flow is joined, and which is left behind."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.states import Cancelled, Completed, Crashed, Failed, Running, Scheduled

from flows.placement import MOST_ATTEMPTS, join_run, place, uselessness
from models.errors import ConfigError, TrainingError
from models.schemas import ArtifactRef
from tasks.io.digests import folder_digest


@flow(name="heavy")
def heavy(artifact: ArtifactRef) -> ArtifactRef:
    """Stand for a heavy flow."""
    return artifact


@pytest.fixture(scope="module")
def deployment() -> Iterator[str]:
    """Start a Prefect server that knows deployment `heavy/pool`, and give its name."""
    from prefect.testing.utilities import prefect_test_harness  # imports the server: two seconds

    with prefect_test_harness(server_startup_timeout=120):
        with get_client(sync_client=True) as client:
            client.create_deployment(client.create_flow(heavy), "pool")
        yield "heavy/pool"


def end(deployment: str, key: str, state: State) -> str:
    """End the run that a key joins; give its id."""
    run = join_run(deployment, {}, key)
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(run.id, state, force=True)
    return str(run.id)


@pytest.mark.parametrize("state", [None, Scheduled(), Running()])
def test_a_run_under_way_is_joined(state: State | None):
    """Nothing is started twice."""
    assert uselessness(state) is None


@pytest.mark.parametrize("state", [Failed(message="oh"), Crashed(message="oh"), Cancelled(message="oh")])
def test_a_run_that_did_not_complete_is_left_behind(state: State):
    """The reason names the end and its message."""
    assert uselessness(state) == f"it ended as {state.name}: oh"


def test_a_result_is_of_use_while_its_artifacts_are_whole(tmp_path: Path):
    """A completed run counts until somebody removes its model."""
    folder = tmp_path / "model"
    folder.mkdir()
    weights = folder / "weights"
    weights.write_bytes(b"1")
    state = Completed(data=ArtifactRef(address=str(folder), digest=folder_digest(folder)))
    plain = Completed(data={"model": state.data.model_dump()})
    assert (uselessness(state), uselessness(plain)) == (None, None)
    weights.unlink()
    folder.rmdir()
    assert str(folder) in str(uselessness(state))
    assert str(folder) in str(uselessness(plain))


def test_a_completed_run_without_a_result_is_left_behind():
    """A result that is gone can not be handed on."""
    assert "its result can not be read" in str(uselessness(Completed()))


@pytest.mark.system
def test_a_missing_deployment_is_named(deployment: str):
    """The error says what to deploy where."""
    with pytest.raises(ConfigError, match=r"no deployment 'heavy/elsewhere'.*to work pool 'elsewhere'"):
        place(heavy, "elsewhere", artifact=ArtifactRef(address="/a", digest="d"))


@pytest.mark.system
def test_the_same_inputs_join_one_run_until_it_fails(deployment: str):
    """Two calls get one run; after its failure a third gets a new one, which the fourth joins."""
    first = join_run(deployment, {}, "same")
    assert end(deployment, "same", Failed()) == str(first.id)
    second = join_run(deployment, {}, "same")
    assert second.id != first.id
    assert join_run(deployment, {}, "same").id == second.id


@pytest.mark.system
def test_attempts_have_an_end(deployment: str):
    """Inputs that fail every time are not tried for ever."""
    runs = {end(deployment, "bad", Failed(message="out of memory")) for _ in range(MOST_ATTEMPTS)}
    assert len(runs) == MOST_ATTEMPTS
    with pytest.raises(TrainingError, match=r"5 runs of heavy/pool .* ended as Failed: out of memory"):
        join_run(deployment, {}, "bad")
