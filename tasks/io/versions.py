"""Versions in the model registry: which there are, who is champion, and whether their files are whole."""

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlparse

from models.errors import ArtifactError, RegistryError
from models.schemas.agent import START_PREFIX
from tasks.io.bases import BASE_TAG, fetch_base
from tasks.io.books import CHAMPION, Books
from tasks.io.model_package import stored_digest
from tasks.io.working import working_folder

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

logger = logging.getLogger(__name__)

TRAINING_TAG = "quickstudy.training_digest"
STORED_TAG = "quickstudy.stored_digest"
_WEIGHTS = Path("artifacts", "model")


@dataclass(frozen=True)
class VersionInfo:
    """A registered version.

    Args:
        agent: Registered model's name.
        version: Its number.
        run_id: The run that trained it.
        training: Digest of the training; None for a version that we did not make.
        tags: All its tags.
        source: Where its files are.
        created: Seconds since 1970.
    """

    agent: str
    version: int
    run_id: str | None
    training: str | None
    tags: dict[str, str] = field(repr=False)
    source: str
    created: float


def making(agent: str) -> str:
    """Give the command that makes a version of an agent, or the two of which one makes a start's."""
    if agent.startswith(START_PREFIX):
        name = agent.removeprefix(START_PREFIX)
        return f"quickstudy meta-train {name}` or `quickstudy pretrain {name}"
    return f"quickstudy train {agent}"


def find_version(books: Books, agent: str, training: str) -> VersionInfo | None:
    """Find the version of a training; one whose files are gone or changed is passed over, to be made anew."""
    made = (v for v in versions(books, agent) if v.training == training)
    return next((v for v in made if _is_whole(books, v)), None)


def versions(books: Books, agent: str) -> tuple[VersionInfo, ...]:
    """List an agent's versions, oldest first."""
    client, found, token = books.client, [], None
    while True:
        page = client.search_model_versions(f"name = '{agent}'", max_results=1000, page_token=token)
        found += [_info(version) for version in page]
        token = page.token
        if not token:
            return tuple(sorted(found, key=lambda info: info.version))


def registered_agents(books: Books) -> tuple[str, ...]:
    """Name every registered model, sorted."""
    client, names, token = books.client, set[str](), None
    while True:
        page = client.search_registered_models(max_results=1000, page_token=token)
        names |= {model.name for model in page}
        token = page.token
        if not token:
            return tuple(sorted(names))


def version_info(books: Books, agent: str, version: int) -> VersionInfo:
    """Describe a version.

    Raises:
        RegistryError: If there is none.
    """
    from mlflow.exceptions import MlflowException

    try:
        return _info(books.client.get_model_version(agent, str(version)))
    except MlflowException as error:
        if not is_missing(error):
            raise
        known = ", ".join(str(info.version) for info in versions(books, agent)) or "none"
        raise RegistryError(
            f"Agent {agent!r} has no version {version}; its versions are: {known}. Name one of them."
        ) from error


def champion_version(books: Books, agent: str) -> int | None:
    """Give the version that the alias names in MLflow; None if there is no alias."""
    from mlflow.exceptions import MlflowException

    try:
        return int(books.client.get_model_version_by_alias(agent, CHAMPION).version)
    except MlflowException as error:
        if not is_missing(error):
            raise
        return None


def is_missing(error: Any) -> bool:  # noqa: ANN401 - MLflow's type, imported late
    """Say whether MLflow's error means that the named thing is not there."""
    return error.error_code == "RESOURCE_DOES_NOT_EXIST" or (
        error.error_code == "INVALID_PARAMETER_VALUE" and "alias" in str(error) and "not found" in str(error)
    )


def verify_artifact(books: Books, agent: str, version: int) -> Path:
    """Compare a version's stored files with the digest it was registered with; give their folder.

    Raises:
        RegistryError: If the version is not there, or was not made by us.
        ArtifactError: If its files are gone or changed.
    """
    info = version_info(books, agent, version)
    recorded = info.tags.get(STORED_TAG)
    if recorded is None:
        raise RegistryError(
            f"Version {version} of {agent!r} has no tag {STORED_TAG}; it was not registered by quickstudy, "
            f"so its files can not be checked. `{making(agent)}` makes a version that can."
        )
    folder = package_folder(books, agent, version)
    if stored_digest(folder) != recorded:
        raise ArtifactError(
            f"The files of version {version} of {agent!r} in {folder} are not those that were registered "
            f"(recorded digest {recorded[:12]}). Restore them from a backup, or make a new version: "
            f"`{making(agent)}`."
        )
    return folder


def package_folder(books: Books, agent: str, version: int) -> Path:
    """Give a local folder with a version's MLflow model, fetched if it is stored elsewhere.

    Raises:
        ArtifactError: If it is gone.
    """
    info = version_info(books, agent, version)
    uri = books.client.get_model_version_download_uri(agent, str(version))
    local = local_path(uri)
    if local is None:
        local = _fetch(books, uri, info)
        if BASE_TAG in info.tags:
            fetch_base(books, info.tags[BASE_TAG])
    if not (local / "MLmodel").is_file():
        raise ArtifactError(
            f"The files of version {version} of {agent!r} are gone from {local}. Restore them from a backup, "
            f"or make a new version: `{making(agent)}`."
        )
    return local


def model_folder(books: Books, agent: str, version: int) -> Path:
    """Give the folder of safetensors and JSON of a version, as `Predictor.load` takes it."""
    return package_folder(books, agent, version) / _WEIGHTS


def load_champion(books: Books, agent: str) -> Path:
    """Give the champion's folder of safetensors and JSON, checked.

    Raises:
        RegistryError: If the agent has no champion, or it is not one of ours.
        ArtifactError: If its files are gone or changed.
    """
    version = champion_version(books, agent)
    if version is None:
        raise RegistryError(
            f"Agent {agent!r} has no champion. Run `{making(agent)}`; if it has versions, "
            f"`quickstudy promote {agent} VERSION` makes one of them champion."
        )
    return verify_artifact(books, agent, version) / _WEIGHTS


def local_path(uri: str) -> Path | None:
    """Give the path of a file address; None for an address elsewhere."""
    parsed = urlparse(uri)
    if parsed.scheme in ("", "file"):
        return Path(unquote(parsed.path))
    return None


def _is_whole(books: Books, info: VersionInfo) -> bool:
    try:
        verify_artifact(books, info.agent, info.version)
    except (RegistryError, ArtifactError) as error:
        logger.warning("%s", error)
        return False
    return True


def _fetch(books: Books, uri: str, info: VersionInfo) -> Path:
    """Fetch a remote folder once; it lies under the digest of its content."""
    from mlflow.artifacts import download_artifacts

    target = books.scratch / "fetched" / info.tags.get(STORED_TAG, f"{info.agent}-{info.version}")
    if not target.is_dir():
        target.parent.mkdir(parents=True, exist_ok=True)
        with working_folder(books.scratch) as place:
            got = download_artifacts(artifact_uri=uri, dst_path=str(place), tracking_uri=books.mlflow_uri)
            Path(got).replace(target)
    return target


def _info(version: "ModelVersion") -> VersionInfo:
    return VersionInfo(
        agent=version.name,
        version=int(version.version),
        run_id=version.run_id or None,
        training=version.tags.get(TRAINING_TAG),
        tags=dict(version.tags),
        source=version.source or "",
        created=version.creation_timestamp / 1000,
    )
