"""The one pydantic base of every record: frozen, and unknown keys are refused."""

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """An immutable value that crosses between modules and is stored as JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")
