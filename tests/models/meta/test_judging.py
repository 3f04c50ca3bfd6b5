"""Which episodes a start may be judged on."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from models.episodes import Pool
from models.meta.judging import by_episode, by_row, distinct, row_hashes, unseen
from models.meta.scoring import Source
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
        (Seen(classes=("lost_card",)), "classes", [False, True]),
    ],
)
def test_an_episode_that_a_start_has_learned_from_is_left_out(
    seen: Seen, disjoint: str, expected: list[bool]
):
    """By class or by domain, as the splits are declared, and whatever the case of the letters."""
    assert unseen(TABLE, seen, disjoint).to_pylist() == expected


def test_lines_of_a_row_are_added_up():
    """What two episodes ask about one row is one line of evidence."""
    table = pa.table(
        {
            "episode": [0, 0, 1],
            "text_hash": pa.array([7, 3, 7], pa.uint64()),
            "tp": [1, 1, 0],
            "fp": [0, 0, 1],
            "fn": [0, 0, 1],
            "slices": [["domain=a"]] * 3,
        }
    )
    assert by_row(table).select(["text_hash", "tp", "fn", "exact"]).to_pylist() == [
        {"text_hash": 7, "tp": 1, "fn": 1, "exact": False},
        {"text_hash": 3, "tp": 1, "fn": 0, "exact": True},
    ]
    assert by_episode(table)["tp"].to_pylist() == [2, 0]


def test_a_row_of_two_sources_is_evidence_about_both():
    """Harm in either is seen."""
    lines = {name: [1, 1] for name in ("tp", "fp", "fn")}
    table = pa.table({"text_hash": [7, 7], **lines, "slices": [["domain=a"], ["domain=b"]]})
    assert by_row(table)["slices"].to_pylist() == [["domain=a", "domain=b"]]


def test_an_episode_that_was_drawn_twice_counts_once(
    make_pool: Callable[..., Pool], make_source: Callable[..., Source]
):
    """Small splits repeat themselves, which must not weigh more."""
    pool = make_pool()
    first, second = make_source([pool]).episodes(0, 2)
    assert distinct([pool], [first, second, first]) == [first, second]


def test_a_row_s_hash_is_of_its_words_alone(make_pool: Callable[..., Pool]):
    """The same words in another pool, with other classes, are the same row."""
    own, other = make_pool(name="a"), make_pool(name="b")
    assert np.array_equal(row_hashes(own), row_hashes(other))
    assert len(np.unique(row_hashes(own))) == len(own)
