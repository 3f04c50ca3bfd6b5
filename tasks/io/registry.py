"""Registering: one version for one training, checked by a reload before it is made.

Order: build the folder, reload it elsewhere and compare, log it, mark it ready, make the version. A kill at
any point leaves nothing that counts as a version; the next try takes up what it finds.
"""

import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from models.schemas import ArtifactRef
from tasks.io.bases import base_tags, keep_base
from tasks.io.books import Books
from tasks.io.digests import checked
from tasks.io.flavours import AGENT
from tasks.io.isolated_load import check_reload
from tasks.io.ledger import lease
from tasks.io.model_package import (
    Example,
    Flavour,
    PackageRequest,
    as_lines,
    build_package,
    identify,
    stored_digest,
)
from tasks.io.versions import (
    STORED_TAG,
    TRAINING_TAG,
    VersionInfo,
    champion_version,
    find_version,
    is_missing,
    load_champion,
    local_path,
    model_folder,
    package_folder,
    verify_artifact,
    version_info,
    versions,
)
from tasks.io.wheel import Wheel, build_wheel
from tasks.io.working import working_folder

if TYPE_CHECKING:
    from mlflow.entities import LoggedModel

__all__ = [
    "Registration",
    "VersionInfo",
    "champion_version",
    "find_version",
    "load_champion",
    "model_folder",
    "package_folder",
    "register",
    "verify_artifact",
    "version_info",
    "versions",
]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Registration:
    """A trained model that asks to become a version.

    Args:
        agent: The agent; the registered model's name.
        model: The model's folder with its digest.
        training: Digest of the training; the idempotency key.
        run_id: The MLflow run of the training.
        digests: Digests of data, code, config and lock file by those names; tags of version and run.
        example: A few texts, or rows of several inputs: what the version shows and its reload is compared on.
        more_tags: Further tags of version, logged model and run.
        flavour: How the version answers where it is loaded.
    """

    agent: str
    model: ArtifactRef
    training: str
    run_id: str
    digests: Mapping[str, str]
    example: tuple[Example, ...]
    more_tags: Mapping[str, str] = field(default_factory=dict)
    flavour: Flavour = AGENT

    @property
    def tags(self) -> dict[str, str]:
        """Give the tags of version, logged model and run."""
        named = {f"quickstudy.{name}_digest": value for name, value in self.digests.items()}
        own = {TRAINING_TAG: self.training, "quickstudy.model_digest": self.model.digest}
        return {**self.more_tags, **named, **own, **base_tags(Path(self.model.address))}


def register(books: Books, wanted: Registration) -> int:
    """Make the version of a training, or give the one that is there.

    Args:
        books: The record.
        wanted: The trained model.

    Raises:
        ArtifactError: If the model's folder is not what its digest says.
        RegistryError: If the stored model does not load elsewhere or answers otherwise there.
    """
    with lease(books.ledger, f"register {wanted.agent} {wanted.training[:32]}", wait_seconds=600) as held:
        found = find_version(books, wanted.agent, wanted.training)
        if found is not None:
            return found.version
        logged = _find_logged(books, wanted) or _log(books, wanted)
        held.check()
        return _make_version(books, wanted, logged)


def _find_logged(books: Books, wanted: Registration) -> "LoggedModel | None":
    """Give the logged model of an earlier try if it is whole; throw away those that are not."""
    client = books.client
    place = client.get_run(wanted.run_id).info.experiment_id
    query = f"tags.`{TRAINING_TAG}` = '{wanted.training}'"
    whole = None
    for logged in client.search_logged_models([place], query):
        folder = local_path(logged.artifact_location)
        ready = logged.status == "READY"
        if ready and (folder is None or stored_digest(folder) == logged.tags.get(STORED_TAG)):
            whole = whole or logged
            continue
        logger.info("Removing the half-stored model %s of an earlier try", logged.model_id)
        client.delete_logged_model(logged.model_id)
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
    return whole


def _log(books: Books, wanted: Registration) -> "LoggedModel":
    """Build, check and store the model; it counts from when it is marked ready."""
    wheel, model = build_wheel(books.scratch / "wheels", wanted.flavour.module), checked(wanted.model)
    keep_base(books, model)
    answers = wanted.flavour.answers(model, wanted.example)
    with working_folder(books.scratch) as place:
        folder = Path(place, "model")
        metadata = {**wanted.tags, "quickstudy.wheel_sha256": wheel.sha256}
        request = PackageRequest(wanted.flavour, model, wanted.example, answers, wheel, metadata)
        build_package(request, folder)
        check_reload(folder, wanted.example, as_lines(answers), books.scratch)
        books.fault("reload checked")
        return _store(books, wanted, wheel, folder)


def _store(books: Books, wanted: Registration, wheel: Wheel, folder: Path) -> "LoggedModel":
    from mlflow.entities import LoggedModelOutput

    client = books.client
    place = client.get_run(wanted.run_id).info.experiment_id
    logged = client.create_logged_model(
        place, name=wanted.agent, source_run_id=wanted.run_id, tags=wanted.tags, model_type="agent"
    )
    books.fault("logged model created")
    identify(folder, logged.model_id, wanted.run_id)
    tags = {STORED_TAG: stored_digest(folder), "quickstudy.wheel_sha256": wheel.sha256}
    client.set_logged_model_tags(logged.model_id, tags)
    client.log_model_artifacts(logged.model_id, str(folder))
    client.log_outputs(wanted.run_id, [LoggedModelOutput(logged.model_id, step=0)])
    books.fault("artifacts stored")
    client.finalize_logged_model(logged.model_id, "READY")
    books.fault("logged model ready")
    return client.get_logged_model(logged.model_id)


def _make_version(books: Books, wanted: Registration, logged: "LoggedModel") -> int:
    from mlflow.entities import RunTag
    from mlflow.exceptions import MlflowException

    client = books.client
    client.log_batch(wanted.run_id, tags=[RunTag(key, value) for key, value in wanted.tags.items()])
    try:
        client.get_registered_model(wanted.agent)
    except MlflowException as error:
        if not is_missing(error):
            raise
        client.create_registered_model(wanted.agent)
    # The address itself: MLflow looks a models:/ address up in whatever store the environment names.
    version = client.create_model_version(
        wanted.agent,
        source=logged.artifact_location,
        run_id=wanted.run_id,
        tags={**wanted.tags, **{key: logged.tags[key] for key in (STORED_TAG, "quickstudy.wheel_sha256")}},
        model_id=logged.model_id,
        await_creation_for=0,
    )
    books.fault("version created")
    logger.info("Registered version %s of %s", version.version, wanted.agent)
    return int(version.version)
