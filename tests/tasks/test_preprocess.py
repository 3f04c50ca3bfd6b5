from pathlib import Path
from typing import ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.errors import ArtifactError
from models.preprocess import encode_snapshot
from models.schemas import AgentConfig, DatasetSnapshot
from tasks.preprocess import _UNREAD, preprocess


def test_damaged_rows_are_not_encoded(agent: AgentConfig, snapshot: DatasetSnapshot):
    """Rows that changed after ingest are refused before a word of them is read."""
    Path(snapshot.artifact.address, "rows.parquet").write_bytes(b"2")
    with pytest.raises(ArtifactError, match="was changed after it was made"):
        preprocess.fn(agent, snapshot)


class _Watched(AgentConfig):
    """An agent that tells which of its fields are read."""

    read: ClassVar[set[str]] = set()

    def __getattribute__(self, name: str) -> object:
        type(self).read.add(name)
        return super().__getattribute__(name)


@pytest.mark.parametrize(
    ("adapter", "columns"),
    [
        ("text_classification", {"text": ["fine", "sad"], "label": ["a", "b"]}),
        ("token_classification", {"tokens": [["fine"], ["sad"]], "tags": [["B-a"], ["B-b"]]}),
    ],
)
def test_tokens_do_not_depend_on_training(
    agent: AgentConfig, tmp_path: Path, adapter: str, columns: dict[str, list[object]]
):
    """No field of training is read when rows are tokenized, so none of them is in the step's key."""
    _Watched.read.clear()
    config = _Watched.model_validate(agent.model_dump() | {"adapter": adapter})
    _Watched.read.clear()
    rows = tmp_path / "rows.parquet"
    pq.write_table(pa.table(columns | {"split": ["train", "test"]}), rows)
    encode_snapshot(config, rows, tmp_path / "encoded")
    assert not _Watched.read & _UNREAD
