"""StartConfig: the one description of a meta-learned start, and the records of its making."""

from collections.abc import Iterable, Sequence
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, ValidationError, model_validator

from models.episodes.shape import Count, EpisodeShape, ends
from models.errors import ConfigError
from models.schemas.agent import START_NAME, START_PREFIX, AdapterName, AgentConfig
from models.schemas.artifact import ArtifactRef
from models.schemas.base import Record
from models.schemas.gate_fields import Margin, Unlimited
from models.schemas.records import CurvePoint, Metric
from models.schemas.source import SourceConfig

START_GATE_FIELDS = (
    "alpha",
    "harm_alpha",
    "harm_margin",
    "max_reuse",
    "max_size_mb",
    "min_slice_rows",
    "protected_slices",
    "typical_change",
)
"""The fields that the gate alone reads: they decide a verdict and train nothing."""

Setting = bool | int | float | str
EpisodeSplit = Literal["train", "validation", "test"]


class EpisodeSource(Record):
    """Labelled rows that episodes are drawn from.

    Args:
        adapter: The NLP task type.
        source: Where the rows are; its `domain` counts where splits are disjoint by domain.
        labels: The labels; by default all that are found.
        weight: How often episodes come from here, relative to the other sources of its split.
        split: The split that the whole source belongs to; none shares its classes out.
    """

    adapter: AdapterName
    source: SourceConfig
    labels: tuple[str, ...] = ()
    weight: float = Field(default=1.0, gt=0)
    split: EpisodeSplit | None = None


class StartConfig(Unlimited):
    """Everything that makes a start what it is.

    Args:
        schema_version: Version of this description's format.
        name: The start's name; `start-<name>` in the model registry.
        description: What it is for, in one sentence.
        sources: Where episodes come from.
        disjoint: What no two of meta-train, meta-validation and meta-test share: classes or domains.
        validation_share: Share of a source's classes for meta-validation (fraction, 0-1).
        test_share: Share of a source's classes for meta-test (fraction, 0-1).
        encoder: Hugging Face id or local folder of the pretrained encoder.
        max_length: Longest row in sub-words, special ones included; the rest is cut off.
        learner: Name of the meta-learner.
        learner_settings: The learner's own settings, by their names.
        meta_layers: How many layers from the top are learned; all of the encoder, or none.
        meta_weights: Which weights of those layers are learned: patterns of their names, as of a shell.
        meta_rank: Learn changes of this rank to their matrices (LoRA), and nothing else of the encoder.
        n_way: Classes of a training episode; a pair is a range.
        k_shot: Support examples a class of a training episode; a pair is a range.
        n_query: Query examples a class.
        names: Put each class's name into the support as one more example.
        unbalanced: Draw each class's shots by itself from the range of k_shot.
        judged_way: Classes of the episodes that scores rest on.
        judged_shot: Support examples a class of those episodes.
        test_episodes: Episodes that a start is judged on.
        meta_batch_size: Episodes of an outer step.
        steps: Most outer steps.
        outer_lr: Peak rate of the outer steps.
        learner_lr: The same for what is learned beside the encoder: a head's start, a scale, inner rates.
        optimizer: A class of torch.optim.
        weight_decay: Decay of the encoder's weights and of a head's start, apart from the optimizer.
        evaluate_steps: Outer steps between two scores on meta-validation.
        validation_episodes: Episodes of each such score.
        patience: Scores without a better one before meta-training stops.
        precision: `auto` is bf16 on GPUs and CPUs that multiply it faster, fp32 elsewhere.
        compiled: Compile the meta-gradient first (torch.compile), which takes minutes; for GPUs.
        checkpoint_steps: Outer steps between two checkpoints.
        processes: Processes that share the episodes of each outer step; each takes a GPU of its own.
        time_limit_seconds: Meta-training is ended after this time.
        seed: Seed of every random choice.
        work_pool: Prefect work pool for meta-training; none runs it in this process.
        alpha: One-sided significance level of the gate, which compares starts on the same held-out rows.
        typical_change: By how much versions usually differ from the champion; see `AgentConfig`.
        harm_margin: How much worse a slice (a source, a domain) may be before it counts as harm.
        harm_alpha: Level of the harm test over all slices together.
        min_slice_rows: Slices of fewer held-out rows are listed, not judged.
        protected_slices: Slices (`source=...`, `domain=...`) where non-inferiority must be shown.
        max_reuse: Decisions a held-out row may serve before it counts as used up.
        max_size_mb: Limit on the stored weights (megabytes).
    """

    steering: ClassVar[frozenset[str]] = frozenset(
        {
            *START_GATE_FIELDS,
            "checkpoint_steps",
            "description",
            "processes",
            "test_episodes",
            "time_limit_seconds",
            "work_pool",
        }
    )

    schema_version: Literal[1] = 1
    name: str = Field(pattern=START_NAME)
    description: str = ""
    sources: tuple[EpisodeSource, ...] = Field(min_length=1)
    disjoint: Literal["classes", "domains"] = "classes"
    validation_share: float = Field(default=0.25, gt=0, lt=0.5)
    test_share: float = Field(default=0.25, gt=0, lt=0.5)
    encoder: str = "sentence-transformers/all-MiniLM-L6-v2"
    max_length: int = Field(default=64, ge=8, le=8192)
    learner: str = "prototypical"
    learner_settings: dict[str, Setting] = Field(default_factory=dict)
    meta_layers: Annotated[int, Field(ge=1)] | Literal["all", "none"] = "all"
    meta_weights: tuple[str, ...] = Field(default=("*",), min_length=1)
    meta_rank: Annotated[int, Field(ge=1)] | None = None
    n_way: Count | tuple[Count, Count] = 10
    k_shot: Count | tuple[Count, Count] = (1, 5)
    n_query: Count = 5
    names: bool = False
    unbalanced: bool = False
    judged_way: Count = 5
    judged_shot: Count = 1
    test_episodes: int = Field(default=600, ge=1)
    meta_batch_size: int = Field(default=2, ge=1)
    steps: int = Field(default=400, ge=1)
    outer_lr: float = Field(default=2e-5, gt=0, le=10)
    learner_lr: float = Field(default=1e-3, gt=0, le=10)
    optimizer: str = "AdamW"
    weight_decay: float = Field(default=0.0, ge=0, le=1)
    evaluate_steps: int = Field(default=50, ge=1)
    validation_episodes: int = Field(default=200, ge=1)
    patience: int = Field(default=4, ge=1)
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    compiled: bool = False
    checkpoint_steps: int = Field(default=50, ge=1)
    processes: int = Field(default=1, ge=1)
    time_limit_seconds: float = Field(default=14_400, gt=0)
    seed: int = Field(default=0, ge=0)
    work_pool: str | None = None
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    typical_change: float | None = Field(default=0.01, gt=0, le=1)
    harm_margin: float = Field(default=0.005, ge=0, lt=1)
    harm_alpha: float = Field(default=0.2, gt=0, lt=0.5)
    min_slice_rows: int = Field(default=50, ge=1)
    protected_slices: dict[str, Margin] = Field(default_factory=dict)
    max_reuse: int = Field(default=20, ge=1)
    max_size_mb: float | None = Field(default=None, gt=0)

    @classmethod
    def keys_at(cls, place: Sequence[str]) -> Iterable[str]:
        """Name the keys of an episode source, of the rows' source in it, or of the description itself."""
        if place[0] != "sources":
            return super().keys_at(place)
        return SourceConfig.model_fields if "source" in place[:-1] else EpisodeSource.model_fields

    @property
    def agent(self) -> str:
        """Give the name in the model registry, where agents have theirs."""
        return START_PREFIX + self.name

    @property
    def train_shape(self) -> EpisodeShape:
        """Give the shape of training episodes."""
        return EpisodeShape.model_validate(self.model_dump(include=set(EpisodeShape.model_fields)))

    @property
    def judged_shape(self) -> EpisodeShape:
        """Give the shape of the episodes that scores rest on."""
        return EpisodeShape(
            n_way=self.judged_way, k_shot=self.judged_shot, n_query=self.n_query, names=self.names
        )

    def source_name(self, place: int) -> str:
        """Name one source; no agent has such a name."""
        return f"episodes-{self.name[:48]}-{place}"

    def source_agent(self, place: int, labels: tuple[str, ...]) -> AgentConfig:
        """Describe one source as the steps that read and tokenize rows know it."""
        wanted = self.sources[place]
        return AgentConfig(
            name=self.source_name(place),
            adapter=wanted.adapter,
            labels=wanted.labels or labels,
            sources=(wanted.source,),
            encoder=self.encoder,
            max_length=self.max_length,
            stride=0,
            # Where labels are named, rows of others are not wanted; they are counted all the same.
            **({"max_quarantine_share": 1.0} if wanted.labels else {}),
            # An episode's rows are split by class, so no row needs to be held out on top of that.
            validation_share=0.01,
            test_share=0.01,
        )

    @model_validator(mode="after")
    def _fields_agree(self) -> Self:
        # Both stand on torch, which a file that names no start need not wait for.
        from models.learners import make_learner
        from models.meta.settings import settings_of

        try:
            _ = (self.train_shape, self.judged_shape, settings_of(self))
        except ValidationError as error:
            raise ValueError(error.errors()[0]["msg"].removeprefix("Value error, ")) from error
        try:
            learner = make_learner(self.learner, self.learner_settings)
        except ConfigError as error:
            raise ValueError(str(error)) from error
        if self.compiled and learner.adapts_body:
            raise ValueError(f"compiled works where an episode adapts the head alone, not for {self.learner}")
        self._check_head(getattr(learner, "head", None), getattr(learner, "n_way", None))
        self._check_sources()
        if self.disjoint == "domains" and not all(s.split and s.source.domain for s in self.sources):
            raise ValueError("disjoint: domains needs a split and a source.domain for every source")
        return self

    def _check_head(self, head: str | None, own_way: int | None) -> None:
        """Refuse a head that fits no episode, or leaves nothing to learn."""
        if head == "learned" and len({*ends(self.n_way), self.judged_way, own_way}) > 1:
            raise ValueError(
                "head: learned has one vector for each class of every episode; give n_way, judged_way and "
                "the learner's own n_way the same number, or start the head from prototypes"
            )
        if self.meta_layers != "none":
            return
        if self.meta_rank or self.meta_weights != ("*",):
            raise ValueError("meta_layers: none leaves meta_weights and meta_rank nothing to choose from")
        if head == "zeros":
            raise ValueError("meta_layers: none and head: zeros leave nothing to learn")
        if self.weight_decay and head not in ("learned", "shared"):
            raise ValueError("meta_layers: none leaves weight_decay no weight; scales and rates do not decay")

    def _check_sources(self) -> None:
        """Refuse episodes that the sources can not make."""
        tagged = [s.adapter == "token_classification" for s in self.sources]
        if not all(tagged) and min(ends(self.n_way)[0], self.judged_way) < 2:
            raise ValueError("n_way and judged_way must be at least 2, or there is nothing to tell apart")
        if any(tagged) and self.names:
            raise ValueError("names puts classes' names into the support, which entity types have none of")
        shared_out, given = any(not s.split for s in self.sources), {s.split for s in self.sources}
        if not shared_out and len(given) < 3:
            raise ValueError("every source has a split, and none is for each of train, validation and test")


class EncodedSource(Record):
    """One source's tokenized rows, how it was described, and the snapshot that they came from."""

    agent: AgentConfig
    encoded: ArtifactRef
    snapshot: ArtifactRef | None = None


class EpisodeRows(Record):
    """The tokenized rows of all of a start's sources, in their order."""

    sources: tuple[EncodedSource, ...]


class StartScores(Record):
    """How good a start is on meta-test episodes.

    `outcomes` holds a line a query (see `models/meta/judging.py`), the start's in `outcomes.parquet`, each
    baseline's in `baseline-<name>.parquet`; a metric's rows are the held-out rows.
    """

    start: ArtifactRef
    score: Metric
    baselines: dict[str, Metric]
    outcomes: ArtifactRef
    size_mb: float


class StartReport(Record):
    """What meta-training made: a start's folder, and how it got there."""

    start: ArtifactRef
    steps: int
    best_step: int
    best_score: float
    curve: tuple[CurvePoint, ...]
    seconds: float
    resumed_from: int = 0
    stopped: Literal["finished", "early"] = "finished"
    classes: dict[EpisodeSplit, int] = Field(default_factory=dict)
    job: str = ""
