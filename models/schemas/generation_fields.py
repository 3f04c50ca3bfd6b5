"""The fields that say how an agent that writes text is asked, and how long and how it may write."""

from typing import Self

from pydantic import Field, model_validator

from models.schemas.base import Description


class GenerationFields(Description):
    """How text is written; without effect on agents that label.

    Args:
        instruction: What a model that writes is told to do: put before each input of a seq2seq model
            (`translate English to German: `), the system message of a causal one.
        max_new_tokens: Most sub-words of an answer, learned or written.
        beams: Beams of the search; 1 takes the likeliest sub-word each time.
        temperature: Sample at this temperature; none always takes the likeliest.
        top_p: Sample from the likeliest sub-words that have this share of the probability (fraction, 0-1).
        generation_seconds: Writing the answers of a batch ends after this time, with what is there.
    """

    instruction: str = ""
    max_new_tokens: int = Field(default=64, ge=1, le=8192)
    beams: int = Field(default=1, ge=1, le=32)
    temperature: float | None = Field(default=None, gt=0, le=10)
    top_p: float = Field(default=1.0, gt=0, le=1)
    generation_seconds: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _sampling_is_on(self) -> Self:
        if self.top_p < 1 and self.temperature is None:
            raise ValueError("top_p has no effect where nothing is sampled; set temperature")
        return self
