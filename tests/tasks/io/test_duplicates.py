"""The search for equal texts, against a plain one."""

from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.io.duplicates import CONFLICT, EXACT, KEEP, NORMALIZED, DuplicateSearch, sort_hashes

ROWS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2), st.integers(0, 1)), max_size=60)


def _plain(rows: list[tuple[int, int, int]]) -> list[int]:
    labels: dict[int, int] = {}
    seen: set[tuple[int, int, int]] = set()
    codes = []
    for text, raw, label in rows:
        if text not in labels:
            labels[text] = label
            codes.append(KEEP)
        elif labels[text] != label:
            codes.append(CONFLICT)
        else:
            codes.append(EXACT if (text, raw, label) in seen else NORMALIZED)
        seen.add((text, raw, label))
    return codes


@given(st.lists(ROWS, max_size=4), st.integers(0, 63))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_codes_are_those_of_a_plain_search(
    tmp_path_factory: object, blocks: list[list[tuple[int, int, int]]], high: int
):
    """Partitions and blocks make no difference to what is found."""
    folder: Path = tmp_path_factory.mktemp("hashes")  # type: ignore[attr-defined]
    with DuplicateSearch(folder) as search:
        for block in blocks:
            values = np.array(block, np.uint64).reshape(-1, 3)
            spread = values[:, 0] * np.uint64(1 << 61) + np.uint64(high)
            search.add(sort_hashes(spread, values[:, 1], values[:, 2]))
        found = search.find()
    assert found.codes.tolist() == _plain([row for block in blocks for row in block])


def test_rows_in_two_splits_are_counted(tmp_path: Path):
    """A repeated row counts where its split is not that of the row it repeats."""
    with DuplicateSearch(tmp_path) as search:
        hashes = np.array([7, 7, 7, 8], np.uint64)
        search.add(sort_hashes(hashes, hashes, np.zeros(4, np.uint64)))
        assert search.find(np.array([0, 0, 2, 1])).in_two_splits == 1
