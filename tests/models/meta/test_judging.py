"""Which episodes a start may be judged on."""

import pyarrow as pa
import pytest

from models.meta.judging import distinct, unseen
from models.meta.store import Seen

TABLE = pa.table(
    {
        "slices": [["domain=Books", "source=a"], ["domain=films", "source=b"]],
        "classes": [["Lost card", "top up"], ["refund", "transfer"]],
    }
)


@pytest.mark.parametrize(
    ("seen", "disjoint", "expected"),
    [
        (Seen(), "classes", [True, True]),
        (Seen(classes=("lost card",)), "classes", [False, True]),
        (Seen(classes=("refund",), domains=("books",)), "classes", [True, False]),
        (Seen(classes=("refund",), domains=("books",)), "domains", [False, True]),
        (Seen(domains=("books", "films")), "domains", [False, False]),
    ],
)
def test_an_episode_that_a_start_has_learned_from_is_left_out(
    seen: Seen, disjoint: str, expected: list[bool]
):
    """By class or by domain, as the splits are declared, and whatever the case of the letters."""
    assert unseen(TABLE, seen, disjoint).to_pylist() == expected


def test_an_episode_that_was_drawn_twice_counts_once():
    """Small splits repeat themselves, which must not look like more evidence."""
    table = pa.table({"text_hash": pa.array([7, 3, 7, 5, 3], pa.uint64()), "tp": [1, 2, 1, 3, 2]})
    assert distinct(table)["tp"].to_pylist() == [1, 2, 3]
