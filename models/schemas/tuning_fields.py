"""The fields that say what of a pretrained model trains; what the ways do is in `models/tuning/`.

Plain names, so that a description is checked without loading a library.
"""

from typing import Literal, Self

from pydantic import Field, model_validator

from models.schemas.training_fields import TrainingFields

Tuning = Literal["full", "bitfit", "bottleneck", "lora", "rslora", "dora", "ia3", "prefix", "prompt"]

USED_BY: dict[str, tuple[Tuning, ...]] = {
    "tuning_rank": ("bottleneck", "lora", "rslora", "dora"),
    "tuning_alpha": ("lora", "rslora", "dora"),
    "tuning_tokens": ("prefix", "prompt"),
    "merge_weights": ("bitfit", "lora", "rslora", "dora", "ia3"),
}
"""The settings that only some ways use; the others refuse them."""


class TuningFields(TrainingFields):
    """How much of a pretrained model trains, and how the rest is stored.

    Args:
        tuning: What trains: all of the encoder (`full`), or a small share beside which it stays as it is.
            docs/agents.md says what each way is good for.
        tuning_rank: Rank of `lora`, `rslora` and `dora`, by default 8; size of `bottleneck`, by default 32.
        tuning_alpha: The changes of `lora` and `dora` are scaled by alpha / rank, those of `rslora` by
            alpha / sqrt(rank); by default 16.
        tuning_tokens: Learned sub-words in front of each window for `prefix` and `prompt`, by default 20.
        merge_weights: Store the encoder with what was learned written into its weights, which is quicker to
            serve and as large as the encoder. Without it the small share is stored, and the encoder once for
            all agents on it.
    """

    tuning: Tuning = "full"
    tuning_rank: int | None = Field(default=None, ge=1, le=4096)
    tuning_alpha: float | None = Field(default=None, gt=0, le=4096)
    tuning_tokens: int | None = Field(default=None, ge=1, le=1024)
    merge_weights: bool = False

    @model_validator(mode="after")
    def _settings_have_an_effect(self) -> Self:
        for name, ways in USED_BY.items():
            if getattr(self, name) not in (None, False) and self.tuning not in ways:
                raise ValueError(
                    f"{name} has no effect with tuning: {self.tuning}; leave it out, or choose tuning: "
                    f"{' or '.join(ways)}"
                )
        if self.tuning != "full" and self.freeze != "none":
            raise ValueError(
                f"freeze: {self.freeze} has no effect with tuning: {self.tuning}, which trains no layer of "
                "the encoder itself; leave freeze out, or choose tuning: full"
            )
        return self
