"""Where something lies, and what it holds."""

from models.schemas.base import Record


class ArtifactRef(Record):
    """An artifact's address (file or folder) and the sha256 of its content."""

    address: str
    digest: str
