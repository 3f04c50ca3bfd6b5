"""What a version stands on, as tags: digests of data, config, code and lock file, and the start."""

from models.schemas import AgentConfig
from models.schemas.base import Description
from tasks.io.code_digest import code_digest
from tasks.io.dependencies import lock_digest
from tasks.io.digests import digest_of

START_TAG, START_VERSION_TAG = "quickstudy.start", "quickstudy.start_version"
MADE_BY_TAG = "quickstudy.made_by"


def digests_of(step: str, config: Description, data: str) -> dict[str, str]:
    """Digest what a training stands on; "lock" is the lock file's own sha256 where there is a checkout.

    Args:
        step: Module of the step that trains.
        config: What was asked for.
        data: Digest of the rows.
    """
    code = code_digest(step)
    return {
        "data": data,
        "config": digest_of(config),
        "code": digest_of(code.modules),
        "lock": lock_digest(list(code.libraries)),
    }


def start_tags(config: AgentConfig) -> dict[str, str]:
    """Name the start that an agent stands on, if it stands on one."""
    if config.start is None:
        return {}
    return {START_TAG: config.start, START_VERSION_TAG: str(config.start_version)}
