"""The fields that say what an agent takes for none of its classes."""

from pydantic import Field

from models.schemas.base import Description


class ScopeFields(Description):
    """Rows that are none of the classes.

    Args:
        out_of_scope: One of `labels` that is no class to learn: rows that are none of the others (text and
            relation classification). It may have few training rows, or none: then what is least like the
            classes is taken for it.
        in_scope_share: Share of the classes' validation rows that is not taken for out of scope (fraction,
            0-1); the threshold that follows is stored with the weights.
    """

    out_of_scope: str | None = None
    in_scope_share: float = Field(default=0.95, gt=0.5, lt=1)
