"""The fields that say where an agent's rows come from, and which of them are held out."""

from typing import Literal, Self

from pydantic import Field, model_validator

from models.schemas.base import Description
from models.schemas.source import SourceConfig


class RowFields(Description):
    """Where rows come from, how they are checked, held out and cut.

    Args:
        sources: Where labelled rows come from.
        max_length: Longest window in sub-words, special ones included.
        stride: Sub-words that two neighbouring windows of a long input share.
        split_by: How rows are held out: by hash of the normalized text, or by time.
        validation_share: Share of rows for validation (fraction, 0-1).
        test_share: Share of rows held out for evaluation and the gate (fraction, 0-1).
        max_quarantine_share: Ingest fails over this share of bad rows (fraction, 0-1).
    """

    sources: tuple[SourceConfig, ...] = Field(min_length=1)
    max_length: int = Field(default=128, ge=8, le=8192)
    stride: int = Field(default=32, ge=0)
    split_by: Literal["hash", "time"] = "hash"
    validation_share: float = Field(default=0.15, gt=0, lt=0.5)
    test_share: float = Field(default=0.15, gt=0, lt=0.5)
    max_quarantine_share: float = Field(default=0.02, ge=0, le=1)

    @model_validator(mode="after")
    def _rows_can_be_cut_and_held_out(self) -> Self:
        if self.stride >= self.max_length - 2:
            raise ValueError(
                f"stride is {self.stride}; it must be below max_length - 2 = {self.max_length - 2}"
            )
        if self.split_by == "time" and not all(s.time_column for s in self.sources):
            raise ValueError("split_by: time needs a time_column in every source")
        if self.split_by == "time" and any(s.held_out is not None or s.document_column for s in self.sources):
            raise ValueError(
                "split_by: time holds out the newest rows; leave out held_out and document_column"
            )
        return self
