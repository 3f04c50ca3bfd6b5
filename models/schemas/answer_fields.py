"""The fields of agents that find answers in a text."""

from pydantic import Field

from models.schemas.base import Description


class AnswerFields(Description):
    """How answers are found; without effect on agents that do something else.

    Args:
        max_answer_length: Longest answer in sub-words (question answering).
        no_answer_margin: A question gets no answer where "none" scores higher than the best answer by more
            than this (question answering); without it every question is answered, and rows that have no
            answer are put aside.
    """

    max_answer_length: int = Field(default=30, ge=1, le=512)
    no_answer_margin: float | None = None
