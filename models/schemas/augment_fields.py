"""The fields that say how more training rows are made of those that there are."""

from typing import Literal, Self

from pydantic import Field, model_validator

from models.schemas.base import Description

AugmentName = Literal["crossover", "masked_words", "back_translation"]


class AugmentFields(Description):
    """How more training rows are made; validation and held-out rows stay as they came.

    Args:
        augment: Ways to make more training rows: `crossover` joins the beginning of one text with the end of
            another of the same label, `masked_words` lets a masked language model replace words,
            `back_translation` translates texts forth and back.
        augment_copies: Rows made of each training row, each way.
        augment_share: Share of the words that `masked_words` replaces (fraction, 0-1).
        masked_lm: The model that replaces words: a Hugging Face id, a local folder, or `start-NAME` for the
            champion of a start that was pretrained on masked words.
        translators: The agents that translate forth and back; their champions do it.
    """

    augment: tuple[AugmentName, ...] = ()
    augment_copies: int = Field(default=1, ge=1, le=100)
    augment_share: float = Field(default=0.15, gt=0, le=1)
    masked_lm: str | None = None
    translators: tuple[str, str] | None = None

    @model_validator(mode="after")
    def _augmenting_has_what_it_needs(self) -> Self:
        if len(set(self.augment)) < len(self.augment):
            raise ValueError("augment names one way twice; list each once")
        needs = {
            "masked_words": ("masked_lm", self.masked_lm),
            "back_translation": ("translators", self.translators),
        }
        for way, (field, value) in needs.items():
            if (way in self.augment) != (value is not None):
                raise ValueError(f"{way} in augment and {field} go together; give both or neither")
        defaults = AugmentFields.model_fields
        if not self.augment and self.augment_copies != defaults["augment_copies"].default:
            raise ValueError("augment_copies says how many, and augment names no way; list one")
        if "masked_words" not in self.augment and self.augment_share != defaults["augment_share"].default:
            raise ValueError("augment_share is for masked_words; list it in augment")
        return self
