"""The fields that say what an agent is."""

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from models.schemas.adapter_name import AdapterName
from models.schemas.base import Description
from models.schemas.families import DEFAULT_ENCODER

START_NAME = r"^[a-z][a-z0-9-]{0,56}$"
"""A start's name; the model registry has it as `start-<name>`."""

START_PREFIX = "start-"


class Identity(Description):
    """What the agent is and what it stands on.

    Args:
        schema_version: Version of this description's format.
        name: The agent's name; also its name in the model registry.
        description: What the agent is for, in one sentence.
        adapter: The NLP task type.
        labels: Classes (text classification), all labels that a text may have (multi-label classification),
            entity types without B-/I- (token classification), relations; none where the task type has no
            labels.
        encoder: Hugging Face id or local folder of the pretrained model: an encoder, or a seq2seq or causal
            model where the task type writes text.
        start: Name of a meta-learned start, whose encoder takes the place of `encoder`.
        start_version: Its version; by default its champion at the time of each training.
    """

    schema_version: Literal[1] = 1
    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")
    description: str = ""
    adapter: AdapterName
    labels: tuple[str, ...] = ()
    encoder: str = DEFAULT_ENCODER
    start: str | None = Field(default=None, pattern=START_NAME)
    start_version: int | None = Field(default=None, ge=1)

    @field_validator("name")
    @classmethod
    def _name_is_no_starts(cls, name: str) -> str:
        if name.startswith(START_PREFIX):
            raise ValueError(f"names that begin with {START_PREFIX} belong to starts; choose another one")
        return name

    @field_validator("labels")
    @classmethod
    def _labels_are_distinct(cls, labels: tuple[str, ...]) -> tuple[str, ...]:
        repeated = sorted({x for x in labels if labels.count(x) > 1})
        if repeated:
            raise ValueError(f"label {repeated[0]!r} is listed twice; list each label once")
        if any(not label.strip() for label in labels):
            raise ValueError("a label is empty; remove it or give it a name")
        return labels

    @model_validator(mode="after")
    def _a_version_has_a_start(self) -> Self:
        if self.start_version is not None and self.start is None:
            raise ValueError("start_version names a version of no start; write start as well")
        return self
