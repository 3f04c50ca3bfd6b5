"""What a champion was made from: read back from the run that trained it."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from models.schemas import AgentConfig, ArtifactRef, DatasetSnapshot, SourceConfig
from models.schemas.base import Record
from tasks.io.books import Books
from tasks.io.registry import champion_version, verify_artifact, version_info
from tasks.io.snapshot_store import ROWS
from tasks.io.tracking import read_record


class Champion(Record):
    """The version that the alias names, with its model, its data and its description.

    Args:
        agent: The agent.
        version: Number in the model registry.
        run_id: The MLflow run that trained it.
        model: The model's folder.
        snapshot: The rows that it learned from and was judged on.
        config: The agent as it was then.
        code: Digest of the code that trained it; empty where its version does not say.
    """

    agent: str
    version: int
    run_id: str
    model: ArtifactRef
    snapshot: DatasetSnapshot
    config: AgentConfig
    code: str = ""

    def widened(self, config: AgentConfig, window: tuple[SourceConfig, ...]) -> AgentConfig:
        """Describe an agent as `config` says, over a new window's rows and all that this version has seen.

        The old rows come from the version's own snapshot: its sources may hold others by now. The new
        ones come first, so that a corrected label replaces the old one. Labels that were renamed since
        then are renamed in the old rows too.
        """
        seen = SourceConfig(
            address=str(Path(self.snapshot.artifact.address) / ROWS),
            format="snapshot",
            domain_column="domain",
            time_column="time" if self.snapshot.time_start else None,
            label_map=_renames(config.labels, (*config.sources, *window)),
        )
        return config.model_copy(update={"sources": (*(window or config.sources), seen)})


def _renames(labels: Sequence[str], sources: Sequence[SourceConfig]) -> dict[str, str]:
    """Join what sources say of names that are no labels any more, where they agree.

    A stored row's label that the agent still has means just that, whatever a source means by the word.
    """
    pairs = {pair for source in sources for pair in source.label_map.items() if pair[0] not in labels}
    times = Counter(name for name, _ in pairs)
    return {name: label for name, label in sorted(pairs) if times[name] == 1}


def read_champion(books: Books, agent: str) -> Champion | None:
    """Describe the agent's champion; None if there is none."""
    version = champion_version(books, agent)
    return None if version is None else read_version(books, agent, version)


def read_version(books: Books, agent: str, version: int) -> Champion:
    """Describe a version from what its run recorded.

    Raises:
        RegistryError: There is no such version, or it was not registered by us.
        ArtifactError: Its files are not what its digest says.
    """
    info = version_info(books, agent, version)
    run_id = info.run_id or ""
    folder = verify_artifact(books, agent, version) / "artifacts" / "model"
    return Champion(
        agent=agent,
        version=version,
        run_id=run_id,
        model=ArtifactRef(address=str(folder), digest=info.tags["quickstudy.model_digest"]),
        snapshot=DatasetSnapshot.model_validate_json(read_record(books, run_id, "snapshot.json")),
        config=AgentConfig.model_validate_json(read_record(books, run_id, "config.json")),
        code=info.tags.get("quickstudy.code_digest", ""),
    )
