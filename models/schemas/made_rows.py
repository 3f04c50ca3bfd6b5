"""Training rows that were made of others, and the models that made them."""

from pydantic import Field

from models.schemas.artifact import ArtifactRef
from models.schemas.base import Record


class Rewriters(Record):
    """The models that rewrite texts, as they are when they do it.

    Args:
        masked_lm: The champion of a start that replaces words; None where it is named by folder or id.
        masked_digest: What that folder or id holds; None where it is a start.
        translators: The champions that translate forth and back.
    """

    masked_lm: ArtifactRef | None = None
    masked_digest: str | None = None
    translators: tuple[ArtifactRef, ArtifactRef] | None = None


class Augmented(Record):
    """Further training rows.

    Args:
        artifact: Folder that holds them in `rows.parquet`.
        rewriters: What made them.
        kept: Rows kept, by way.
        dropped: Rows whose text there was already, or that would be held out, by way.
    """

    artifact: ArtifactRef
    rewriters: Rewriters = Field(default_factory=Rewriters)
    kept: dict[str, int] = Field(default_factory=dict)
    dropped: dict[str, int] = Field(default_factory=dict)
