"""StartConfig: the one description of a meta-learned start, and the records of its making."""

from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from models.episodes.shape import Count, EpisodeShape, ends
from models.errors import ConfigError
from models.schemas.agent import AdapterName, AgentConfig
from models.schemas.base import Record
from models.schemas.records import ArtifactRef, CurvePoint
from models.schemas.source import SourceConfig

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


class StartConfig(Record):
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
        optimizer: A class of torch.optim.
        weight_decay: Decay of the encoder's weights, apart from the optimizer.
        evaluate_steps: Outer steps between two scores on meta-validation.
        validation_episodes: Episodes of each such score.
        patience: Scores without a better one before meta-training stops.
        precision: `auto` is bf16 on a GPU and fp32 elsewhere.
        checkpoint_steps: Outer steps between two checkpoints.
        seed: Seed of every random choice.
    """

    schema_version: Literal[1] = 1
    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,56}$")
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
    optimizer: str = "AdamW"
    weight_decay: float = Field(default=0.0, ge=0, le=1)
    evaluate_steps: int = Field(default=50, ge=1)
    validation_episodes: int = Field(default=200, ge=1)
    patience: int = Field(default=4, ge=1)
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    checkpoint_steps: int = Field(default=50, ge=1)
    seed: int = Field(default=0, ge=0)

    @property
    def agent(self) -> str:
        """Give the name in the model registry, where agents have theirs."""
        return f"start-{self.name}"

    @property
    def train_shape(self) -> EpisodeShape:
        """Give the shape of training episodes."""
        return EpisodeShape(
            n_way=self.n_way,
            k_shot=self.k_shot,
            n_query=self.n_query,
            names=self.names,
            unbalanced=self.unbalanced,
        )

    @property
    def judged_shape(self) -> EpisodeShape:
        """Give the shape of the episodes that scores rest on."""
        return EpisodeShape(
            n_way=self.judged_way, k_shot=self.judged_shot, n_query=self.n_query, names=self.names
        )

    def source_agent(self, place: int, labels: tuple[str, ...]) -> AgentConfig:
        """Describe one source as the steps that read and tokenize rows know it."""
        wanted = self.sources[place]
        return AgentConfig(
            name=f"{self.agent[:55]}-{place}",
            adapter=wanted.adapter,
            labels=wanted.labels or labels,
            sources=(wanted.source,),
            encoder=self.encoder,
            max_length=self.max_length,
            stride=0,
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
        if self.meta_layers == "none" and head == "zeros":
            raise ValueError("meta_layers: none and head: zeros leave nothing to learn")

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
    """One source's tokenized rows, and how it was described."""

    agent: AgentConfig
    encoded: ArtifactRef


class EpisodeRows(Record):
    """The tokenized rows of all of a start's sources, in their order."""

    sources: tuple[EncodedSource, ...]


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
