"""Validation: mapped labels, times, and the first reason of each bad row."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from models.schemas import AgentConfig, SourceConfig
from tasks.io.times import parse_times
from tasks.io.validation import Checked, validate


def _check(columns: dict[str, list[object]], labels: tuple[str, ...], **source: object) -> Checked:
    given = SourceConfig.model_validate({"address": "a.csv", **source})
    adapter = "text_classification" if "text" in columns else "token_classification"
    config = AgentConfig.model_validate(
        {"name": "a", "adapter": adapter, "labels": labels, "sources": [given]}
    )
    lines = pa.array(range(1, len(next(iter(columns.values()))) + 1), pa.int64())
    lists = pa.list_(pa.string())
    kinds = {name: lists if name in ("tokens", "tags") else pa.string() for name in columns}
    arrays = {name: pa.array(values, kinds[name]) for name, values in columns.items()}
    return validate(pa.table({"line": lines, **arrays}), config, given)


def test_labels_are_renamed_before_they_are_checked():
    """A source's names become the agent's; blanks around a label don't count."""
    checked = _check(
        {"text": ["a", "b", "c"], "label": ["1", " 0 ", "x"]},
        ("no", "yes"),
        label_map={"1": "yes", "0": "no"},
    )
    assert checked.rows["label"].to_pylist() == ["yes", "no"]
    assert checked.bad["reason"].to_pylist() == ["unknown label"]


def test_entity_types_are_renamed_or_dropped():
    """A type is renamed with its prefix kept; one renamed to O is no entity."""
    checked = _check(
        {"tokens": [["a", "b", "c"]], "tags": [["B-PER", "I-PER", "B-MISC"]]},
        ("person",),
        label_map={"PER": "person", "MISC": "O"},
    )
    assert checked.rows["tags"].to_pylist() == [["B-person", "I-person", "O"]]


def test_two_labels_can_become_one():
    """Several names of a source may stand for one label."""
    checked = _check(
        {"text": ["a", "b"], "label": ["good", "great"]},
        ("bad", "pos"),
        label_map={"good": "pos", "great": "pos"},
    )
    assert checked.rows["label"].to_pylist() == ["pos", "pos"]


def test_a_row_gets_the_first_reason_that_holds():
    """Of several faults the first in the schema's order is told."""
    checked = _check({"text": ["", None, "x\x00"], "label": ["?", None, "?"]}, ("a", "b"))
    assert checked.bad["reason"].to_pylist() == ["empty text", "missing text", "broken encoding"]


def test_the_excerpt_shows_the_row():
    """The quarantine shows a row's own values, shortened."""
    excerpt = _check({"text": ["x" * 500], "label": ["odd"]}, ("a", "b")).bad["excerpt"][0].as_py()
    assert excerpt.startswith('{"text": "xxx')
    assert len(excerpt) == 200


def test_an_empty_block_is_no_fault():
    """No rows give no rows."""
    checked = _check({"text": [], "label": []}, ("a", "b"))
    assert (len(checked.rows), len(checked.bad)) == (0, 0)


def test_i_after_b_or_i_of_its_type_is_valid():
    """Entities that touch, begin a row or end it are valid BIO."""
    rows = [["B-X", "I-X", "B-X"], ["O", "B-Y", "I-Y", "I-Y"], ["B-X", "B-Y"]]
    checked = _check({"tokens": [["t"] * len(r) for r in rows], "tags": rows}, ("X", "Y"))
    assert len(checked.rows) == 3


def test_an_entity_does_not_reach_into_the_next_row():
    """An I- at a row's beginning continues nothing, whatever the row before ends with."""
    checked = _check({"tokens": [["a"], ["b"]], "tags": [["B-X"], ["I-X"]]}, ("X",))
    assert checked.bad["line"].to_pylist() == [2]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-03-01", datetime(2024, 3, 1, tzinfo=UTC)),
        ("2024-03-01 10:00", datetime(2024, 3, 1, 10, tzinfo=UTC)),
        ("2024-03-01T10:00:00+02:00", datetime(2024, 3, 1, 8, tzinfo=UTC)),
        ("2024-03-01T10:00:00.5Z", datetime(2024, 3, 1, 10, 0, 0, 500_000, tzinfo=UTC)),
        ("1709287200", datetime(2024, 3, 1, 10, tzinfo=UTC)),
        ("1709287200.25", datetime(2024, 3, 1, 10, 0, 0, 250_000, tzinfo=UTC)),
        ("", None),
        ("soon", None),
        ("03/01/2024", None),
    ],
)
def test_times_are_read_as_utc(text: str, expected: datetime | None):
    """ISO 8601 and seconds since 1970 are read; what could mean two days is not."""
    assert parse_times(pa.array([text])).to_pylist() == [expected]


@pytest.mark.parametrize(
    "values",
    [
        pa.array([datetime(2024, 3, 1)], pa.timestamp("ns")),
        pa.array([datetime(2024, 3, 1)], pa.date32()),
        pa.array([datetime(2024, 3, 1, tzinfo=UTC)], pa.timestamp("s", "Europe/Rome")),
    ],
)
def test_typed_times_are_kept(values: pa.Array):
    """Dates and timestamps of any unit become UTC microseconds."""
    assert parse_times(values).to_pylist() == [datetime(2024, 3, 1, tzinfo=UTC)]
