"""A version of a start: read back from the run that trained it."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from pydantic import TypeAdapter

from models.encoder import load_tokenizer
from models.errors import ConfigError, RegistryError
from models.learners import make_learner
from models.meta.judging import same_words
from models.schemas import ArtifactRef
from models.schemas.base import Record
from models.schemas.pretrain import PretrainConfig, PretrainReport
from models.schemas.start import StartConfig, StartReport
from models.start_frames import ENCODER
from tasks.io.books import Books
from tasks.io.incumbent import read_soundly
from tasks.io.tracking import read_record
from tasks.io.versions import champion_version, verify_artifact, version_info, versions

AnyStart: TypeAlias = StartConfig | PretrainConfig
"""The description of a start: meta-learned, or pretrained on plain texts."""


_CONFIG: TypeAdapter[AnyStart] = TypeAdapter(AnyStart)
_TRAINING: TypeAdapter[StartReport | PretrainReport] = TypeAdapter(StartReport | PretrainReport)


class StartVersion(Record):
    """A registered start, with its files and its description.

    Args:
        agent: Its name in the registry, `start-<name>`.
        version: Number there.
        run_id: The MLflow run that trained it.
        start: Its folder.
        config: Its description as it was then.
        training: What its training reported.
    """

    agent: str
    version: int
    run_id: str
    start: ArtifactRef
    config: AnyStart
    training: StartReport | PretrainReport


class LearnerVersion(StartVersion):
    """A meta-learned one, which has a learner."""

    config: StartConfig
    training: StartReport


def read_start(books: Books, agent: str, version: int) -> StartVersion:
    """Describe a version of a start.

    Raises:
        RegistryError: There is no such version, it is not one of ours, or its run's record is lost.
        ArtifactError: Its files are gone or changed.
    """
    return read_soundly(_read, books, agent, version)


def comparable_with(
    config: AnyStart, tokenizer: str | None = None
) -> Callable[[Books, str, int], StartVersion]:
    """Give what describes a version, and refuses one that can not be judged on the rows of `config`.

    Rows are tokenized once for both that are compared. A start that nobody can compare with another is
    another start: what it describes raises ConfigError, by which no champion is passed over.

    Args:
        config: The new start.
        tokenizer: Folder of its tokenizer; by default its encoder's.
    """

    def read(books: Books, agent: str, version: int) -> StartVersion:
        found = read_start(books, agent, version)
        why = _difference(config, found, tokenizer or config.encoder)
        if why is None:
            return found
        raise ConfigError(
            f"Version {version} of start {config.name!r}, its champion, {why}: the two can not be compared. "
            "Give the new start a name of its own, and let agents stand on that one."
        )

    return read


def _difference(config: AnyStart, found: StartVersion, tokenizer: str) -> str | None:
    """Say why a new start can not be compared with another; None: it can."""
    own = load_tokenizer(str(Path(found.start.address) / ENCODER))
    if type(found.config) is not type(config):
        return (
            "was meta-learned" if isinstance(found.config, StartConfig) else "was pretrained on plain texts"
        )
    if not same_words(own, load_tokenizer(tokenizer)):
        return f"reads texts by another tokenizer than {tokenizer}"
    if isinstance(found.config, PretrainConfig) or isinstance(config, PretrainConfig):
        before = getattr(found.config, "objective", None)
        return None if before == getattr(config, "objective", None) else f"learned by {before}"
    head = getattr(make_learner(found.config.learner, found.config.learner_settings), "head", None)
    if head == "learned" and found.config.judged_way != config.judged_way:
        return f"has a head for {found.config.judged_way} classes, and judged_way is {config.judged_way}"
    return None


def start_to_use(books: Books, name: str) -> int:
    """Give the champion of a start.

    Raises:
        RegistryError: It has none.
    """
    version = champion_version(books, f"start-{name}")
    if version is None:
        made = [info.version for info in versions(books, f"start-{name}")]
        hint = (
            f"It has {len(made)} versions; `quickstudy promote start-{name} VERSION` makes one its champion."
            if made
            else f"`quickstudy meta-train {name}` or `quickstudy pretrain {name}` makes one."
        )
        raise RegistryError(f"Start {name!r} has no champion. {hint}")
    return version


def _read(books: Books, agent: str, version: int) -> StartVersion:
    info = version_info(books, agent, version)
    run_id = info.run_id or ""
    folder = verify_artifact(books, agent, version) / "artifacts" / "model"
    return StartVersion(
        agent=agent,
        version=version,
        run_id=run_id,
        start=ArtifactRef(address=str(folder), digest=info.tags["quickstudy.model_digest"]),
        config=_CONFIG.validate_json(read_record(books, run_id, "config.json")),
        training=_TRAINING.validate_json(read_record(books, run_id, "training.json")),
    )
