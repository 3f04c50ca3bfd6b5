from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models import preprocess
from models.adapters import ENCODED_SCHEMA, get_adapter
from models.errors import ArtifactError, ConfigError, DataError
from models.preprocess import encode_snapshot, read_windows
from models.schemas import AgentConfig
from models.task_model import agent_tokenizer

MakeConfig = Callable[..., AgentConfig]
ROWS = {
    "text_hash": pa.array([1, 2, 3, 4, 5], pa.uint64()),
    "split": ["train", "test", "train", "test", "train"],
    "text": ["good", "dull", "so " * 40, "\x00", "fine"],
    "label": ["pos", "neg", "neu", "neg", "pos"],
}


@pytest.fixture
def rows_path(tmp_path: Path) -> Path:
    """Write five rows, one long and one without sub-words, in row groups of two."""
    pq.write_table(pa.table(ROWS), tmp_path / "rows.parquet", row_group_size=2)
    return tmp_path / "rows.parquet"


def test_windows_go_to_their_splits_file(make_config: MakeConfig, rows_path: Path, tmp_path: Path):
    """Each window is in the file of its row's split, and `row` is the position in rows.parquet."""
    encode_snapshot(make_config(), rows_path, tmp_path / "out")
    assert read_windows(tmp_path / "out", "train")["row"].to_pylist() == [0, 2, 2, 2, 2, 4]
    assert read_windows(tmp_path / "out", "test")["row"].to_pylist() == [1]


def test_an_empty_split_has_an_empty_file(make_config: MakeConfig, rows_path: Path, tmp_path: Path):
    """A split without rows reads as a table without lines, in the schema."""
    encode_snapshot(make_config(), rows_path, tmp_path)
    windows = read_windows(tmp_path, "validation")
    assert windows.num_rows == 0
    assert windows.schema == ENCODED_SCHEMA


def test_counts_are_what_was_written(make_config: MakeConfig, rows_path: Path, tmp_path: Path):
    """Windows and sub-words are counted by split, and lost rows by reason."""
    counts = encode_snapshot(make_config(), rows_path, tmp_path)
    written = {split: read_windows(tmp_path, split) for split in ("train", "validation", "test")}
    assert counts.windows == {split: table.num_rows for split, table in written.items()}
    assert counts.tokens == {
        split: sum(map(len, table["input_ids"].to_pylist())) for split, table in written.items()
    }
    assert counts.unusable == {"text without sub-words": 1}


@pytest.mark.parametrize("block", [1, 2, 3, 100])
def test_blocks_do_not_change_the_windows(
    make_config: MakeConfig, rows_path: Path, tmp_path: Path, block: int, monkeypatch: pytest.MonkeyPatch
):
    """However many rows are encoded at once, the windows are those of one go."""
    monkeypatch.setattr(preprocess, "_ROWS_AT_ONCE", block)
    config = make_config()
    encode_snapshot(config, rows_path, tmp_path)
    whole = get_adapter(config).encode(pa.table(ROWS), agent_tokenizer(config)).windows.to_pylist()
    written = [read_windows(tmp_path, split).to_pylist() for split in ("train", "test")]
    assert sorted(written[0] + written[1], key=lambda window: window["row"]) == whole


def test_the_same_rows_give_the_same_bytes(make_config: MakeConfig, rows_path: Path, tmp_path: Path):
    """A step that runs again gives files with the same digest."""
    for name in ("one", "two"):
        encode_snapshot(make_config(), rows_path, tmp_path / name)
    one, two = ((tmp_path / name / "train.arrow").read_bytes() for name in ("one", "two"))
    assert one == two


def test_tags_are_encoded_too(make_config: MakeConfig, tmp_path: Path):
    """Rows with tokens and tags become windows with a label at each word's start."""
    rows = pa.table({"split": ["train"], "tokens": [["New", "York"]], "tags": [["B-loc", "I-loc"]]})
    pq.write_table(rows, tmp_path / "rows.parquet")
    encode_snapshot(make_config("token_classification"), tmp_path / "rows.parquet", tmp_path)
    assert read_windows(tmp_path, "train")["labels"].to_pylist() == [[-100, 1, 2, -100]]


def test_windows_are_mapped_not_copied(make_config: MakeConfig, rows_path: Path, tmp_path: Path):
    """Opening a split allocates next to nothing, for its bytes stay in the file."""
    encode_snapshot(make_config(), rows_path, tmp_path)
    before = pa.total_allocated_bytes()
    windows = read_windows(tmp_path, "train")
    assert windows.nbytes > 300
    assert pa.total_allocated_bytes() - before < 64


def test_an_unknown_split_is_refused(make_config: MakeConfig, tmp_path: Path):
    """A row of a split that nobody reads is not dropped in silence."""
    pq.write_table(pa.table({"split": ["dev"], "text": ["a"], "label": ["pos"]}), tmp_path / "rows.parquet")
    with pytest.raises(DataError, match="Split 'dev' is not one of train, validation, test"):
        encode_snapshot(make_config(), tmp_path / "rows.parquet", tmp_path)


def test_missing_or_torn_files_are_artifact_errors(make_config: MakeConfig, tmp_path: Path):
    """Rows or windows that are not there, or cut short, say which step to run again."""
    (tmp_path / "train.arrow").write_bytes(b"ARROW1\x00\x00torn")
    for split in ("train", "test"):
        with pytest.raises(ArtifactError, match=f"{split}.arrow holds no windows .* run preprocess again"):
            read_windows(tmp_path, split)
    with pytest.raises(ArtifactError, match=r"rows\.parquet holds no rows .* run ingest again"):
        encode_snapshot(make_config(), tmp_path / "rows.parquet", tmp_path)


def test_too_long_windows_fail_before_encoding(make_config: MakeConfig, rows_path: Path, tmp_path: Path):
    """Windows that the encoder can not read are refused here, not in training."""
    with pytest.raises(ConfigError, match="reads at most 64 sub-words"):
        encode_snapshot(make_config(max_length=100), rows_path, tmp_path)


def test_further_rows_are_trained_on(make_config: MakeConfig, rows_path: Path, tmp_path: Path):
    """They come after the snapshot's, go to no other split, and may have columns of their own."""
    more = pa.table({"text": ["great", "awful"], "label": ["pos", "neg"], "way": ["x", "x"]})
    pq.write_table(more, tmp_path / "more.parquet")
    counts = encode_snapshot(make_config(), rows_path, tmp_path / "out", tmp_path / "more.parquet")
    assert read_windows(tmp_path / "out", "train")["row"].to_pylist()[-2:] == [5, 6]
    assert counts.windows["test"] == 1
