"""PretrainConfig: the description of a start that is pretrained on texts, and the records of its making."""

from collections.abc import Iterable, Sequence
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from models.schemas.agent import START_NAME, START_PREFIX
from models.schemas.artifact import ArtifactRef
from models.schemas.base import Record
from models.schemas.families import DEFAULT_ENCODER, EXAMPLES, Family, family_in
from models.schemas.gate_fields import Margin, Unlimited
from models.schemas.records import CurvePoint, Metric
from models.schemas.source import SourceConfig
from models.schemas.start import START_GATE_FIELDS

ObjectiveName = Literal["masked_lm", "causal_lm", "span_denoising"]
TokenizerKind = Literal["wordpiece", "bpe", "unigram"]

FAMILY: dict[ObjectiveName, Family] = {
    "masked_lm": "encoder",
    "causal_lm": "causal",
    "span_denoising": "seq2seq",
}
"""What kind of model learns by each objective."""


class PretrainConfig(Unlimited):
    """Everything that makes a pretrained start what it is.

    Args:
        schema_version: Version of this description's format.
        name: The start's name; `start-<name>` in the model registry.
        description: What it is for, in one sentence.
        sources: Where texts come from: of each row its `text_column`, or a CoNLL sentence's tokens.
        objective: `masked_lm` for encoders (whole words are masked), `causal_lm` for decoders,
            `span_denoising` for encoder-decoders.
        encoder: Hugging Face id or local folder of the model that goes on learning.
        layers: Make a new model of this many layers instead; `width`, `heads`, `vocabulary` and
            `tokenizer` are read for such a model alone, whose tokenizer is trained on the texts.
        width: Numbers in a hidden state of a new model.
        heads: Attention heads of a new model.
        vocabulary: Most sub-words of a new tokenizer, special ones included.
        tokenizer: What a new tokenizer is: byte-level BPE, WordPiece (small letters) or unigram. Of the same
            texts the library makes the same BPE each time, and others a little different each time.
        block_length: Sub-words of a block, special ones included; texts stand end to end in blocks.
        masking_share: Share of the words that are masked, or of the sub-words in dropped spans.
        span_length: Mean length of a dropped span (sub-words).
        validation_share: Share of texts for validation, by hash (fraction, 0-1).
        test_share: Share of texts held out for the perplexity that the gate compares, by hash.
        max_quarantine_share: Ingest fails over this share of unreadable or empty texts (fraction, 0-1).
        validation_texts: Most validation texts scored at each evaluation.
        judged_texts: Most held-out texts scored for the gate.
        epochs: Passes over the blocks.
        steps: Most optimizer steps, where that is fewer than the epochs take.
        head_steps: Steps before these that a head which the model's files lack learns alone, on the encoder
            as it is; what comes of them is the plain encoder that a first version is compared with.
        tokens_per_batch: Sub-words of an optimizer step, special ones included.
        learning_rate: Peak rate of the weights that were there.
        head_learning_rate: Peak rate of a head which the model's files lack.
        weight_decay: AdamW's decoupled decay.
        warmup_share: Share of the steps with a rising rate (fraction, 0-1).
        max_grad_norm: Gradients are clipped to this norm.
        evaluate_steps: Optimizer steps between two scores on validation texts.
        patience: Scores without a better one before training stops.
        precision: `auto` is bf16 on GPUs and CPUs that multiply it faster, fp32 elsewhere.
        checkpoint_steps: Optimizer steps between two checkpoints.
        time_limit_seconds: Training is ended after this time.
        seed: Seed of every random choice.
        work_pool: Prefect work pool for training; none runs it in this process.
        alpha: One-sided significance level of the gate, which compares starts on the same held-out texts.
        typical_change: By how much versions usually differ from the champion; see `AgentConfig`.
        harm_margin: How much worse a slice (a source, a domain, a length) may be before it counts as harm.
        harm_alpha: Level of the harm test over all slices together.
        min_slice_rows: Slices of fewer held-out texts are listed, not judged.
        protected_slices: Slices (`source=...`, `domain=...`) where non-inferiority must be shown.
        max_reuse: Decisions a held-out text may serve before it counts as used up.
        max_size_mb: Limit on the stored weights (megabytes).
    """

    steering: ClassVar[frozenset[str]] = frozenset(
        {
            *START_GATE_FIELDS,
            "checkpoint_steps",
            "description",
            "judged_texts",
            "time_limit_seconds",
            "work_pool",
        }
    )

    schema_version: Literal[1] = 1
    name: str = Field(pattern=START_NAME)
    description: str = ""
    sources: tuple[SourceConfig, ...] = Field(min_length=1)
    objective: ObjectiveName = "masked_lm"
    encoder: str = DEFAULT_ENCODER
    layers: Annotated[int, Field(ge=1, le=200)] | None = None
    width: int = Field(default=256, ge=8)
    heads: int = Field(default=4, ge=1)
    vocabulary: int = Field(default=8_000, ge=200)
    tokenizer: TokenizerKind = "bpe"
    block_length: int = Field(default=128, ge=8, le=8192)
    masking_share: float = Field(default=0.15, gt=0, le=0.5)
    span_length: float = Field(default=3.0, ge=1, le=50)
    validation_share: float = Field(default=0.05, gt=0, lt=0.5)
    test_share: float = Field(default=0.1, gt=0, lt=0.5)
    max_quarantine_share: float = Field(default=0.02, ge=0, le=1)
    validation_texts: int = Field(default=200, ge=1)
    judged_texts: int = Field(default=1000, ge=1)
    epochs: float = Field(default=3.0, gt=0, le=1000)
    steps: Annotated[int, Field(ge=1)] | None = None
    head_steps: int = Field(default=200, ge=0)
    tokens_per_batch: int = Field(default=4096, ge=16)
    learning_rate: float = Field(default=1e-4, gt=0, le=1)
    head_learning_rate: float = Field(default=1e-3, gt=0, le=1)
    weight_decay: float = Field(default=0.01, ge=0, le=1)
    warmup_share: float = Field(default=0.06, ge=0, lt=1)
    max_grad_norm: float = Field(default=1.0, gt=0)
    evaluate_steps: int = Field(default=100, ge=1)
    patience: int = Field(default=5, ge=1)
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    checkpoint_steps: int = Field(default=100, ge=1)
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
        """Name the keys of a source, or of the description itself."""
        return SourceConfig.model_fields if place[0] == "sources" else super().keys_at(place)

    @property
    def agent(self) -> str:
        """Give the name in the model registry, where agents have theirs."""
        return START_PREFIX + self.name

    @property
    def from_scratch(self) -> bool:
        """Tell whether the model is made anew."""
        return self.layers is not None

    @model_validator(mode="after")
    def _fields_agree(self) -> Self:
        if self.from_scratch and self.encoder != DEFAULT_ENCODER:
            raise ValueError("layers makes a new model and encoder names one that is there; drop one of them")
        found, needed = family_in(self.encoder), FAMILY[self.objective]
        if not self.from_scratch and found not in (None, needed):
            raise ValueError(
                f"objective: {self.objective} is for another kind of model than encoder {self.encoder!r} "
                f"({found}); name {EXAMPLES[needed]}"
            )
        if self.width % (2 * self.heads):
            raise ValueError(
                f"width is {self.width} and heads {self.heads}; width must be a multiple of 2 * heads"
            )
        if self.tokens_per_batch < self.block_length:
            raise ValueError(
                f"tokens_per_batch is {self.tokens_per_batch}, less than one block of {self.block_length}"
            )
        return self


class Corpus(Record):
    """Distinct texts on disk with their quarantine; `documents + quarantined` is all that came in.

    Its folder holds `documents.parquet` (`text_hash`, `split`, `source`, `domain`, `text`) and
    `quarantine.parquet`.
    """

    artifact: ArtifactRef
    documents: int
    quarantined: int
    reasons: dict[str, int] = Field(default_factory=dict)
    split_counts: dict[str, int]


class PackedCorpus(Record):
    """A corpus in sub-words.

    Its folder holds `train.arrow` (full blocks), `validation.arrow` and `test.arrow` (a line a text),
    `frequencies.arrow` (how often each sub-word stands in the blocks) and `tokenizer/`.

    Args:
        artifact: The folder.
        corpus: The texts that it was made of.
        blocks: Blocks to train on; all are full but the last.
        tokens: Sub-words by split, separators between texts included.
        texts: Texts by split; of the held-out ones those that are scored.
    """

    artifact: ArtifactRef
    corpus: ArtifactRef
    blocks: int
    tokens: dict[str, int]
    texts: dict[str, int]


class PretrainReport(Record):
    """What pretraining made: a start's folder, and how it got there.

    `best_score` and the curve's scores are the share of a uniform guess's uncertainty that the model takes
    away on validation texts, 1 - ln(perplexity) / ln(vocabulary).
    """

    start: ArtifactRef
    steps: int
    best_step: int
    best_score: float
    curve: tuple[CurvePoint, ...]
    vocabulary: int
    parameters: int
    seconds: float
    tokens_per_second: float
    resumed_from: int = 0
    stopped: Literal["finished", "early"] = "finished"
    job: str = ""


class PretrainScores(Record):
    """How well a start predicts held-out texts.

    `outcomes` holds a line a text, the start's in `outcomes.parquet`, each baseline's in
    `baseline-<name>.parquet`: see `models/pretrain/scoring.py`. Intervals are over texts.
    """

    start: ArtifactRef
    perplexity: Metric
    baselines: dict[str, Metric]
    outcomes: ArtifactRef
    size_mb: float
