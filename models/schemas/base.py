"""The pydantic bases of every record and description: frozen, and unknown keys are refused."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """An immutable value that crosses between modules and is stored as JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")


class Description(Record):
    """What a user writes to say what is to be made; each field counts in the keys of cached steps."""

    steering: ClassVar[frozenset[str]] = frozenset()
    """The fields that no cached step reads, unless it says so: they steer judging, placement and timing."""

    @classmethod
    def keys_at(cls, place: Sequence[str]) -> Iterable[str]:
        """Name the keys that may stand beside the one at `place`, its path from the top."""
        del place
        return cls.model_fields
