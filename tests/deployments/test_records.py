from datetime import UTC, datetime

import pytest

from deployments.records import moment_of, move_sentence
from models.errors import ConfigError
from models.schemas import Move


def test_a_bare_date_means_the_end_of_its_day():
    """Who was champion on a date is answered after that day's last move (UTC)."""
    assert datetime(2026, 11, 21, 23, 59, 59, tzinfo=UTC) < moment_of("2026-11-21")
    assert moment_of("2026-11-21") < datetime(2026, 11, 22, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-11-21T00:00", "2026-11-21T00:00:00+00:00", "2026-11-21T02:00+02:00"])
def test_a_time_of_day_is_taken_as_written(text: str):
    """A moment with a time is that moment, in UTC where no zone is named."""
    assert moment_of(text) == datetime(2026, 11, 21, tzinfo=UTC)


def test_what_is_no_date_is_refused():
    """The error shows how a date is written."""
    with pytest.raises(ConfigError, match="'last week' is no date; write it like 2026-11-21"):
        moment_of("last week")


@pytest.mark.parametrize(
    ("before", "said"),
    [(None, "tiny: no version -> version 2"), (1, "tiny: version 1 -> version 2")],
)
def test_a_move_is_told_with_both_its_ends(before: int | None, said: str):
    """A first champion comes after no version."""
    move = Move(
        id=1, agent="tiny", from_version=before, to_version=2, actor="ana", reason="", kind="manual",
        state="done", at=datetime(2026, 11, 21, tzinfo=UTC),
    )  # fmt: skip
    assert move_sentence(move) == said
