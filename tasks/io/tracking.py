"""MLflow runs through its API: one run a training, however often the training is tried.

A run carries the tag `quickstudy.training`; a retried step finds its run by it and goes on with it.
What is logged twice is stored once: parameters have the same values, metrics the same time stamps.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from models.schemas import CurvePoint
from models.schemas.base import Record
from tasks.io.books import Books
from tasks.io.process_identity import ProcessId, this_process
from tasks.io.working import working_folder

if TYPE_CHECKING:
    from mlflow.entities import Run

TRAINING_TAG = "quickstudy.training"
OWNER_TAG = "quickstudy.owner"
_BATCH = 900
_PARAM_BATCH = 90
_PARAM_LENGTH = 6000


@dataclass(frozen=True)
class RunRef:
    """A run and the experiment that it is in."""

    run_id: str
    experiment_id: str


def experiment_id(books: Books, name: str) -> str:
    """Find the experiment, making it (or taking it out of the trash) where need be."""
    from mlflow.exceptions import MlflowException

    client = books.client
    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            location = f"{books.artifact_root.rstrip('/')}/{name}"
            return str(client.create_experiment(name, artifact_location=location))
        except MlflowException:
            found = client.get_experiment_by_name(name)  # another process was first
            if found is None:
                raise
    if found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    return str(found.experiment_id)


def open_run(
    books: Books, experiment: str, training: str, tags: Mapping[str, str], name: str | None = None
) -> RunRef:
    """Give the run of a training: the one that an earlier try began, or a new one.

    Args:
        books: The record.
        experiment: The experiment's name (the agent's).
        training: Digest of the training; the idempotency key.
        tags: More tags; those of an earlier try are overwritten.
        name: What people see it called; by default the experiment and the digest's beginning.
    """
    from mlflow.entities import RunTag

    place = experiment_id(books, experiment)
    owned = {**tags, TRAINING_TAG: training, OWNER_TAG: json.dumps(asdict(this_process()))}
    client = books.client
    found = find_run(books, experiment, training)
    if found is None:
        run = client.create_run(place, tags=owned, run_name=name or f"{experiment}-{training[:8]}")
        books.fault("run created")
        return RunRef(run.info.run_id, place)
    run_id = found.info.run_id
    client.log_batch(run_id, tags=[RunTag(key, value) for key, value in owned.items()])
    if found.info.status != "FINISHED":
        client.update_run(run_id, status="RUNNING")
    return RunRef(run_id, place)


def find_run(books: Books, experiment: str, training: str) -> "Run | None":
    """Find the oldest run of a training."""
    runs = books.client.search_runs(
        [experiment_id(books, experiment)],
        f"tags.`{TRAINING_TAG}` = '{training}'",
        max_results=1,
        order_by=["attributes.start_time ASC"],
    )
    return runs[0] if runs else None


def finish_run(
    books: Books, run_id: str, status: Literal["FINISHED", "FAILED", "KILLED"] = "FINISHED"
) -> None:
    """Close a run; closing it again changes nothing."""
    if books.client.get_run(run_id).info.status != status:
        books.client.set_terminated(run_id, status)


def close_dead_runs(books: Books, experiment: str) -> tuple[str, ...]:
    """Mark runs as KILLED that say RUNNING although their process is gone; give their ids."""
    closed = []
    place = experiment_id(books, experiment)
    for run in books.client.search_runs([place], "attributes.status = 'RUNNING'"):
        owner = run.data.tags.get(OWNER_TAG)
        if owner and ProcessId(**json.loads(owner)).is_dead():
            books.client.set_terminated(run.info.run_id, "KILLED")
            closed.append(run.info.run_id)
    return tuple(closed)


def log_config(books: Books, run_id: str, config: Record) -> None:
    """Log a description as parameters, one a field, and whole as `config.json`."""
    from mlflow.entities import Param

    fields = _flat("", config.model_dump(mode="json"))
    # A parameter can't be changed: what an earlier try logged before an edit of the file stays.
    known = books.client.get_run(run_id).data.params
    params = [Param(k, v[:_PARAM_LENGTH]) for k, v in sorted(fields.items()) if k not in known]
    for start in range(0, len(params), _PARAM_BATCH):
        books.client.log_batch(run_id, params=params[start : start + _PARAM_BATCH])
    log_record(books, run_id, "config.json", config)


def log_curve(books: Books, run_id: str, points: Sequence[CurvePoint]) -> None:
    """Log a training's curve: loss, score, epoch and seconds by step."""
    from mlflow.entities import Metric

    began = int(books.client.get_run(run_id).info.start_time)
    metrics = [
        Metric(name, float(getattr(point, name)), began + int(point.seconds * 1000), point.step)
        for point in points
        for name in ("train_loss", "validation_score", "epoch", "seconds")
    ]
    for start in range(0, len(metrics), _BATCH):
        books.client.log_batch(run_id, metrics=metrics[start : start + _BATCH])


def log_metrics(books: Books, run_id: str, values: Mapping[str, float]) -> None:
    """Log single figures; the same ones logged again are stored once."""
    from mlflow.entities import Metric

    began = int(books.client.get_run(run_id).info.start_time)
    metrics = [Metric(name, float(value), began, 0) for name, value in sorted(values.items())]
    for start in range(0, len(metrics), _BATCH):
        books.client.log_batch(run_id, metrics=metrics[start : start + _BATCH])


def log_record(books: Books, run_id: str, name: str, record: Record) -> None:
    """Store a record as the JSON artifact `name` of the run."""
    books.client.log_text(run_id, record.model_dump_json(indent=2), name)


def log_file(books: Books, run_id: str, path: Path, folder: str = "") -> None:
    """Store a file as an artifact of the run, in `folder` there."""
    books.client.log_artifact(run_id, str(path), folder or None)


def read_record(books: Books, run_id: str, name: str) -> str:
    """Give the text of a JSON artifact of the run."""
    with working_folder(books.scratch) as place:
        return Path(books.client.download_artifacts(run_id, name, str(place))).read_text(encoding="utf-8")


def _flat(prefix: str, value: Any) -> dict[str, str]:  # noqa: ANN401 - JSON
    """Name each leaf by its path: `sources.0.address`."""
    if isinstance(value, dict) and value:
        items = value.items()
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        items = {str(i): item for i, item in enumerate(value)}.items()
    else:
        return {prefix: value if isinstance(value, str) else json.dumps(value)}
    dot = f"{prefix}." if prefix else ""
    return {
        name: leaf for key, item in items for name, leaf in _flat(f"{dot}{_param_name(key)}", item).items()
    }


def _param_name(key: str) -> str:
    """Replace what MLflow refuses in a parameter's name (say, the `=` of a slice's)."""
    return "".join(c if c.isalnum() or c in "_-. :/" else "_" for c in str(key))


def log_pictures(books: Books, run_id: str, pictures: Mapping[str, bytes]) -> None:
    """Store pictures as artifacts of the run, by their relative names, in `report/`."""
    with working_folder(books.scratch) as place:
        for name, content in pictures.items():
            path = Path(place, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        books.client.log_artifacts(run_id, str(place), "report")


def find_version_run(books: Books, agent: str, version: int | None) -> str | None:
    """Give the run that made a version; None if there is none."""
    if version is None:
        return None
    run_id = books.client.get_model_version(agent, str(version)).run_id
    return run_id or None
