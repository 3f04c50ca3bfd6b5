"""AgentConfig: the one description of an agent, as YAML, as a form and as a call.

Flat on purpose: a Prefect schedule merges parameters shallowly, so a nested key
would replace its whole group. Reading a file lives in `models/schemas/load.py`.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from models.schemas.base import Description
from models.schemas.source import SourceConfig


def _offer_adapters(schema: dict[str, Any]) -> None:
    # The adapters stand on these schemas, so they are looked up late.
    from models.adapters import ADAPTERS

    schema["enum"] = list(ADAPTERS)


def _is_adapter(name: str) -> str:
    from models.adapters import ADAPTERS

    if name not in ADAPTERS:
        *most, last = map(repr, ADAPTERS)
        expected = f"{', '.join(most)} or {last}"
        raise PydanticCustomError("adapter", "Input should be {expected}", {"expected": expected})
    return name


AdapterName = Annotated[str, AfterValidator(_is_adapter), Field(json_schema_extra=_offer_adapters)]
"""The name of an adapter that there is; a form shows the choices."""

Freeze = Literal["none", "encoder", "all_but_top", "gradual"]
Margin = Annotated[float, Field(ge=0, lt=1)]

_SLICES = re.compile(r"(source|domain|label)=.+|length=(1-9|10-24|25\+)|window=reference|anchor", re.DOTALL)

GATE_FIELDS = (
    "alpha",
    "anchor_version",
    "harm_alpha",
    "harm_margin",
    "max_calibration_error",
    "max_latency_ms",
    "max_reuse",
    "max_size_mb",
    "min_slice_rows",
    "protected_slices",
    "typical_change",
)
"""The fields that the gate alone reads: they decide a verdict and train nothing."""

START_NAME = r"^[a-z][a-z0-9-]{0,56}$"
"""A start's name; the model registry has it as `start-<name>`."""

START_PREFIX = "start-"


class AgentConfig(Description):
    """Everything that makes an agent what it is.

    Args:
        schema_version: Version of this description's format.
        name: The agent's name; also its name in the model registry.
        description: What the agent is for, in one sentence.
        adapter: The NLP task type.
        labels: Classes (text classification) or entity types without B-/I- (token classification).
        sources: Where labelled rows come from.
        encoder: Hugging Face id or local folder of the pretrained encoder.
        start: Name of a meta-learned start, whose encoder takes the place of `encoder`.
        start_version: Its version; by default its champion at the time of each training.
        max_length: Longest window in sub-words, special ones included.
        stride: Sub-words that two neighbouring windows of a long input share.
        unit_features: Scale features to length 1 before the head, as heads for few labels do.
        split_by: How rows are held out: by hash of the normalized text, or by time.
        validation_share: Share of rows for validation (fraction, 0-1).
        test_share: Share of rows held out for evaluation and the gate (fraction, 0-1).
        max_quarantine_share: Ingest fails over this share of bad rows (fraction, 0-1).
        epochs: Most passes over the training rows.
        tokens_per_batch: Sub-words in a batch, padding included.
        learning_rate: Peak rate of the encoder.
        head_learning_rate: Peak rate of the head.
        weight_decay: AdamW's decoupled decay.
        warmup_share: Share of the steps with a rising rate (fraction, 0-1).
        max_grad_norm: Gradients are clipped to this norm.
        patience: Evaluations without a better validation score before training stops.
        freeze: Which layers stay as they are; `gradual` thaws one more layer an epoch.
        top_layers: Layers that train under `all_but_top`.
        precision: `auto` is bf16 on a GPU and fp32 elsewhere.
        compiled: Compile the model first (torch.compile), which takes a minute or more; for GPUs.
        checkpoint_steps: Optimizer steps between two checkpoints.
        time_limit_seconds: Fine-tuning is ended after this time.
        seed: Seed of every random choice.
        work_pool: Prefect work pool for heavy steps; none runs them in this process.
        alpha: One-sided significance level of the gate.
        typical_change: By how much retrained versions usually differ from the champion (fraction of the
            metric). A win so small and on so few rows that it may well be luck asks for more rows; the
            smaller this is, the more of them. None promotes every significant win.
        harm_margin: How much worse a slice may be before it counts as harm, and the smallest gain worth
            asking for more rows (fraction of the metric).
        harm_alpha: Level of the harm test over all slices together; above alpha because missed harm
            costs more than a challenger held back.
        min_slice_rows: Smaller slices are listed, not judged.
        protected_slices: Slices (`source=...`, `domain=...`, `label=...`, `length=1-9`, `length=10-24`,
            `length=25+`, `window=reference`, `anchor`) where non-inferiority within the given margin
            (fraction of the metric, below 1) must be shown.
        max_reuse: Decisions a held-out row may serve before it counts as used up.
        anchor_version: A version that every challenger is compared with as well.
        max_latency_ms: Limit on the median latency at batch 1 (milliseconds).
        max_calibration_error: Limit on the expected calibration error (fraction, 0-1).
        max_size_mb: Limit on the stored weights (megabytes).
        drift_alpha: Significance level of the drift check.
        drift_sample_rows: Most rows of each window that the drift check embeds.
        schedule: Cron expression for retraining; none means by hand.
    """

    steering: ClassVar[frozenset[str]] = frozenset(
        {
            *GATE_FIELDS,
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

    schema_version: Literal[1] = 1
    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")
    description: str = ""
    adapter: AdapterName
    labels: tuple[str, ...] = Field(min_length=1)
    sources: tuple[SourceConfig, ...] = Field(min_length=1)
    encoder: str = "sentence-transformers/all-MiniLM-L6-v2"
    start: str | None = Field(default=None, pattern=START_NAME)
    start_version: int | None = Field(default=None, ge=1)
    max_length: int = Field(default=128, ge=8, le=8192)
    stride: int = Field(default=32, ge=0)
    unit_features: bool = False
    split_by: Literal["hash", "time"] = "hash"
    validation_share: float = Field(default=0.15, gt=0, lt=0.5)
    test_share: float = Field(default=0.15, gt=0, lt=0.5)
    max_quarantine_share: float = Field(default=0.02, ge=0, le=1)
    epochs: int = Field(default=5, ge=1, le=1000)
    tokens_per_batch: int = Field(default=1024, ge=16)
    learning_rate: float = Field(default=1e-4, gt=0, le=1)
    head_learning_rate: float = Field(default=1e-3, gt=0, le=1)
    weight_decay: float = Field(default=0.01, ge=0, le=1)
    warmup_share: float = Field(default=0.1, ge=0, lt=1)
    max_grad_norm: float = Field(default=1.0, gt=0)
    patience: int = Field(default=2, ge=1)
    freeze: Freeze = "none"
    top_layers: int = Field(default=2, ge=1)
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    compiled: bool = False
    checkpoint_steps: int = Field(default=200, ge=1)
    time_limit_seconds: float = Field(default=3600, gt=0)
    seed: int = Field(default=0, ge=0)
    work_pool: str | None = None
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    typical_change: float | None = Field(default=0.01, gt=0, le=1)
    harm_margin: float = Field(default=0.005, ge=0, lt=1)
    harm_alpha: float = Field(default=0.2, gt=0, lt=0.5)
    min_slice_rows: int = Field(default=50, ge=1)
    protected_slices: dict[str, Margin] = Field(default_factory=dict)
    max_reuse: int = Field(default=20, ge=1)
    anchor_version: int | None = Field(default=None, ge=1)
    max_latency_ms: float | None = Field(default=None, gt=0)
    max_calibration_error: float | None = Field(default=None, gt=0, le=1)
    max_size_mb: float | None = Field(default=None, gt=0)
    drift_alpha: float = Field(default=0.01, gt=0, lt=0.5)
    drift_sample_rows: int = Field(default=1000, ge=20)
    schedule: str | None = None

    @classmethod
    def keys_at(cls, place: Sequence[str]) -> Iterable[str]:
        """Name the keys of a source, or of the description itself."""
        return SourceConfig.model_fields if place[0] == "sources" else super().keys_at(place)

    def trains_like(self, other: "AgentConfig") -> bool:
        """Tell whether the same rows would make the same version; where they come from does not count."""
        aside = {*self.steering, "sources"}
        return self.model_dump(exclude=aside) == other.model_dump(exclude=aside)

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

    @field_validator("protected_slices")
    @classmethod
    def _slices_are_known(cls, slices: dict[str, float]) -> dict[str, float]:
        unknown = [name for name in slices if not _SLICES.fullmatch(name)]
        if unknown:
            raise ValueError(
                f"{unknown[0]!r} is no slice; write source=..., domain=..., label=..., length=1-9, "
                "length=10-24, length=25+, window=reference or anchor"
            )
        return slices

    @model_validator(mode="after")
    def _fields_agree(self) -> Self:
        from models.adapters import ADAPTERS

        least = ADAPTERS[self.adapter].least_labels
        if len(self.labels) < least:
            kind = self.adapter.replace("_", " ")
            raise ValueError(f"{kind} needs at least {least} labels, got {len(self.labels)}")
        if self.stride >= self.max_length - 2:
            raise ValueError(
                f"stride is {self.stride}; it must be below max_length - 2 = {self.max_length - 2}"
            )
        if self.start_version is not None and self.start is None:
            raise ValueError("start_version names a version of no start; write start as well")
        if self.split_by == "time" and not all(s.time_column for s in self.sources):
            raise ValueError("split_by: time needs a time_column in every source")
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
