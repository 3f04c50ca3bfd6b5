"""JSON lines: values that are numbers, and how many lines are parsed one by one."""

import json
from pathlib import Path

import pytest

from models.schemas import SourceConfig
from tasks.io.sources import batches, json_lines, open_source

ROWS = 500


@pytest.fixture
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Collect the lines that pyarrow's reader did not take."""
    lines: list[bytes] = []
    read = json_lines._read_line

    def counting(line: bytes, schema: object) -> object:
        lines.append(line)
        return read(line, schema)

    monkeypatch.setattr(json_lines, "_read_line", counting)
    return lines


def _labels(path: Path, values: list[object]) -> list[str | None]:
    rows = [{"text": f"t{i}", "label": value, "at": i} for i, value in enumerate(values)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    source = SourceConfig(address=str(path), time_column="at")
    found = list(batches(open_source(source, "text_classification")))
    assert [len(batch.bad) for batch in found] == [0]
    assert found[0].rows["time"].to_pylist() == [str(i) for i in range(len(values))]
    return list(found[0].rows["label"].to_pylist())


def test_numbers_are_read_at_full_speed(tmp_path: Path, one_by_one: list[bytes]):
    """No line of a file with numbers for labels and times is parsed by itself."""
    values: list[object] = [i % 3 - 1 for i in range(ROWS)]
    assert _labels(tmp_path / "a.jsonl", values) == [str(v) for v in values]
    assert one_by_one == []


def test_missing_numbers_are_read_at_full_speed(tmp_path: Path, one_by_one: list[bytes]):
    """A null among numbers stays one."""
    assert _labels(tmp_path / "a.jsonl", [None, 1, None, 2] * 50) == [None, "1", None, "2"] * 50
    assert one_by_one == []


@pytest.mark.parametrize("odd", ["other", 10**30, -(2**63) - 1])
def test_an_odd_value_among_numbers_costs_its_neighbours_alone(
    tmp_path: Path, one_by_one: list[bytes], odd: object
):
    """A word, or a number too large for pyarrow, makes few lines be parsed by themselves."""
    values = [i % 3 for i in range(ROWS)]
    assert _labels(tmp_path / "a.jsonl", [*values, odd, *values]) == [str(v) for v in [*values, odd, *values]]
    assert 0 < len(one_by_one) <= json_lines._ONE_BY_ONE


def test_words_and_numbers_in_turn_are_read(tmp_path: Path):
    """A mixture from the beginning comes out as text all the same."""
    values: list[object] = [1, "one"] * 50
    assert _labels(tmp_path / "a.jsonl", values) == [str(v) for v in values]
