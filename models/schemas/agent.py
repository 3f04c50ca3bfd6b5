"""AgentConfig: the one description of an agent, as YAML, as a form and as a call.

Flat on purpose: a Prefect schedule merges parameters shallowly, so a nested key
would replace its whole group. Reading a file lives in `models/schemas/load.py`.
"""

from collections.abc import Iterable, Sequence
from typing import ClassVar, Self

from pydantic import model_validator

from models.schemas.adapter_name import AdapterName
from models.schemas.answer_fields import AnswerFields
from models.schemas.augment_fields import AugmentFields
from models.schemas.base import Record
from models.schemas.fit import check_fit
from models.schemas.gate_fields import GateFields
from models.schemas.generation_fields import GenerationFields
from models.schemas.identity import START_NAME, START_PREFIX, Identity
from models.schemas.objectives import check_objective
from models.schemas.robustness import RobustnessFields, check_robustness
from models.schemas.row_fields import RowFields
from models.schemas.run_fields import RunFields
from models.schemas.scope_fields import ScopeFields
from models.schemas.search import SearchRange, check_search
from models.schemas.search_fields import SearchFields
from models.schemas.source import SourceConfig
from models.schemas.tuning_fields import TuningFields

__all__ = ["GATE_FIELDS", "START_NAME", "START_PREFIX", "AdapterName", "AgentConfig"]

GATE_FIELDS = tuple(GateFields.model_fields)
"""The fields that the gate alone reads: they decide a verdict and train nothing."""

ROBUSTNESS_FIELDS = frozenset(RobustnessFields.model_fields)
"""The fields that evaluation alone reads."""


class AgentConfig(
    SearchFields,
    RunFields,
    GateFields,
    AnswerFields,
    RobustnessFields,
    GenerationFields,
    TuningFields,
    AugmentFields,
    RowFields,
    ScopeFields,
    Identity,
):
    """Everything that makes an agent what it is; each group of fields has a file of its own.

    pydantic puts the fields of the last base first.
    """

    steering: ClassVar[frozenset[str]] = frozenset(
        {
            *GateFields.model_fields,
            *RobustnessFields.model_fields,
            *SearchFields.model_fields,
            "checkpoint_steps",
            "description",
            "drift_alpha",
            "drift_sample_rows",
            "schedule",
            "start",  # its content counts, as the encoder's
            "start_version",
            "time_limit_seconds",
            "work_pool",
        }
    )

    @classmethod
    def keys_at(cls, place: Sequence[str]) -> Iterable[str]:
        """Name the keys of a source, of a search's range, or of the description itself."""
        inner: dict[str, type[Record]] = {"sources": SourceConfig, "search": SearchRange}
        return inner[place[0]].model_fields if place[0] in inner else super().keys_at(place)

    def trains_like(self, other: "AgentConfig") -> bool:
        """Tell whether the same rows would make the same version; where they come from does not count."""
        aside = {*self.steering, "sources"}
        return self.model_dump(exclude=aside) == other.model_dump(exclude=aside)

    @model_validator(mode="after")
    def _adapter_fits(self) -> Self:
        check_fit(self)
        return self

    @model_validator(mode="after")
    def _objective_can_be_had(self) -> Self:
        check_objective(self)
        return self

    @model_validator(mode="after")
    def _search_can_be_made(self) -> Self:
        check_search(self)
        return self

    @model_validator(mode="after")
    def _robustness_can_be_had(self) -> Self:
        check_robustness(self)
        return self

    @model_validator(mode="after")
    def _protected_slices_can_be_there(self) -> Self:
        pairs = [name.partition("=") for name in self.protected_slices]
        strange = [value for kind, _, value in pairs if kind == "label" and value not in self.labels]
        if strange:
            raise ValueError(
                f"protected_slices protects label {strange[0]!r}; labels are {', '.join(self.labels)}"
            )
        if "anchor" in self.protected_slices and self.anchor_version is None:
            raise ValueError("protected_slices protects anchor; set anchor_version, or leave anchor out")
        return self
