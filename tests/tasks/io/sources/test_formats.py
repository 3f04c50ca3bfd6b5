"""Every format: the same rows come out, with their lines, however they are stored."""

import bz2
import gzip
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.errors import ConfigError
from models.schemas import SourceConfig
from models.schemas.agent import AdapterName
from models.schemas.source import SourceFormat
from tasks.io.sources import FORMATS, batches, files, format_of, open_source

TEXTS = ["plain", 'with "quotes"', "with, comma", "café 😀", "tab\there", "line\nend"]
LABELS = ["a", "b", "a", "b", "a", "b"]
TOKENS = [["Ann", "left"], ["[", "5", "]"], ["né"]]
TAGS = [["B-X", "O"], ["O", "B-X", "I-X"], ["O"]]


def _read(source: SourceConfig, adapter: AdapterName = "text_classification") -> pa.Table:
    found = list(batches(open_source(source, adapter)))
    assert sum(len(b.bad) for b in found) == 0
    return pa.concat_tables([b.rows for b in found])


def _csv(folder: Path) -> SourceConfig:
    import csv

    with (folder / "a.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("label", "text"), *zip(LABELS, TEXTS, strict=True)])
    return SourceConfig(address=str(folder / "a.csv"))


def _jsonl(folder: Path) -> SourceConfig:
    rows = [{"text": t, "label": x, "other": [1]} for t, x in zip(TEXTS, LABELS, strict=True)]
    (folder / "a.jsonl").write_text("\n".join(json.dumps(r, ensure_ascii=False) for r in rows), "utf-8")
    return SourceConfig(address=str(folder / "a.jsonl"))


def _parquet(folder: Path) -> SourceConfig:
    label = pa.array(LABELS).dictionary_encode()
    pq.write_table(
        pa.table({"text": pa.array(TEXTS, pa.large_string()), "label": label}), folder / "a.parquet"
    )
    return SourceConfig(address=str(folder / "a.parquet"))


def _table(folder: Path) -> SourceConfig:
    base = sqlite3.connect(folder / "a.db")
    base.execute("create table t (text text, label text)")
    base.executemany("insert into t values (?, ?)", list(zip(TEXTS, LABELS, strict=True)))
    base.commit()
    base.close()
    return SourceConfig(address=f"sqlite:///{folder}/a.db", format="sql", query="select text, label from t")


def _dataset(folder: Path) -> SourceConfig:
    from datasets import ClassLabel, Dataset, Features, Value

    features = Features({"text": Value("string"), "label": ClassLabel(names=["a", "b"])})
    Dataset.from_dict({"text": TEXTS, "label": LABELS}, features=features).save_to_disk(str(folder / "d"))
    return SourceConfig(address=str(folder / "d"), format="huggingface")


def _snapshot(folder: Path) -> SourceConfig:
    stored = {"text": TEXTS, "label": LABELS, "source": LABELS, "split": ["train"] * len(TEXTS)}
    pq.write_table(pa.table(stored), folder / "rows.parquet")
    return SourceConfig(address=str(folder / "rows.parquet"), format="snapshot")


@pytest.mark.parametrize("make", [_csv, _jsonl, _parquet, _table, _dataset, _snapshot])
def test_texts_come_out_as_they_went_in(tmp_path: Path, make: Callable[[Path], SourceConfig]):
    """Quotes, commas, line ends and any Unicode survive each format."""
    rows = _read(make(tmp_path))
    assert (rows["text"].to_pylist(), rows["label"].to_pylist()) == (TEXTS, LABELS)


def test_lines_are_those_of_the_file(tmp_path: Path):
    """A row's line is where it begins, also behind quoted line ends and blank lines."""
    (tmp_path / "a.csv").write_text('text,label\n\n"two\nlines",a\n\nlast,b\n')
    assert _read(SourceConfig(address=str(tmp_path / "a.csv")))["line"].to_pylist() == [3, 6]


@pytest.mark.parametrize("size", [7, 16, 61, 1 << 20])
def test_blocks_make_no_difference(tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch):
    """Rows, lines and numbers are the same however small the blocks are."""
    monkeypatch.setattr(files, "BLOCK_BYTES", size)
    rows = "".join(f'"text {i}\nis ""two"" lines",b\r\nshort {i},a\r\n' for i in range(20))
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbftext,label\r\n" + rows.encode())
    found = _read(SourceConfig(address=str(tmp_path / "a.csv")))
    assert found["text"].to_pylist() == [
        t for i in range(20) for t in (f'text {i}\nis "two" lines', f"short {i}")
    ]
    assert found["line"].to_pylist() == [n for i in range(20) for n in (2 + 3 * i, 4 + 3 * i)]


@pytest.mark.parametrize("size", [5, 33, 1 << 20])
def test_blocks_make_no_difference_to_sentences(tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch):
    """A sentence is never cut at a block's end."""
    monkeypatch.setattr(files, "BLOCK_BYTES", size)
    (tmp_path / "a.conll").write_text("-DOCSTART- O\n\n" + "Ann\tB-X\nleft\tO\n\t\n" * 10 + "né\tO")
    found = _read(SourceConfig(address=str(tmp_path / "a.conll"), format="conll"), "token_classification")
    assert found["tokens"].to_pylist() == [*[["Ann", "left"]] * 10, ["né"]]
    assert found["line"].to_pylist() == [*range(3, 33, 3), 33]


@pytest.mark.parametrize(
    ("suffix", "pack"),
    [
        ("", bytes),
        (".gz", gzip.compress),
        (".bz2", bz2.compress),
        (".zst", lambda b: pa.compress(b, "zstd", True)),
    ],
)
def test_compressed_files_are_read(tmp_path: Path, suffix: str, pack: Callable[[bytes], bytes]):
    """A file's last suffix tells its compression, the one before its format."""
    (tmp_path / f"a.csv{suffix}").write_bytes(pack(b"text,label\nx,a\n"))
    assert _read(SourceConfig(address=str(tmp_path / f"a.csv{suffix}")))["text"].to_pylist() == ["x"]


def test_a_glob_names_many_files(tmp_path: Path):
    """Files of a glob come one after the other by name, each counting its own lines."""
    for name in "ba":
        (tmp_path / f"{name}.csv").write_text(f"text,label\n{name},x\n")
    assert _read(SourceConfig(address=str(tmp_path / "*.csv"))).to_pydict() == {
        "line": [2, 2],
        "text": ["a", "b"],
        "label": ["x", "x"],
    }


def test_any_fsspec_address_is_read():
    """A file in fsspec's memory file system is read like one on disk."""
    import fsspec

    with fsspec.open("memory://box/a.csv", "wb") as file:
        file.write(b"text,label\nx,a\n")
    assert _read(SourceConfig(address="memory://box/a.csv"))["text"].to_pylist() == ["x"]


def test_numbers_for_columns_mean_there_is_no_header(tmp_path: Path):
    """With positions for names the first line is a row; in TSV a quote is a character."""
    (tmp_path / "a.tsv").write_text('a\t"quoted" text\nb\t5" disk\n')
    source = SourceConfig(address=str(tmp_path / "a.tsv"), text_column="1", label_column="0")
    rows = _read(source)
    assert (rows["text"].to_pylist(), rows["line"].to_pylist()) == (['"quoted" text', '5" disk'], [1, 2])


def _lists_in_csv(folder: Path) -> SourceConfig:
    import csv

    rows = [(json.dumps(t), " ".join(g)) for t, g in zip(TOKENS, TAGS, strict=True)]
    with (folder / "a.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("tokens", "tags"), *rows])
    return SourceConfig(address=str(folder / "a.csv"))


def _lists_in_parquet(folder: Path) -> SourceConfig:
    pq.write_table(pa.table({"tokens": TOKENS, "tags": TAGS}), folder / "a.parquet")
    return SourceConfig(address=str(folder / "a.parquet"))


def _lists_in_jsonl(folder: Path) -> SourceConfig:
    rows = [{"tokens": t, "tags": g} for t, g in zip(TOKENS, TAGS, strict=True)]
    (folder / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return SourceConfig(address=str(folder / "a.jsonl"))


def _lists_in_conll(folder: Path) -> SourceConfig:
    sentences = [
        "\n".join(f"{t} x {g}" for t, g in zip(*s, strict=True)) for s in zip(TOKENS, TAGS, strict=True)
    ]
    (folder / "a.conll").write_text("\n\n\n".join(sentences))
    return SourceConfig(address=str(folder / "a.conll"))


def _lists_in_dataset(folder: Path) -> SourceConfig:
    from datasets import ClassLabel, Dataset, Features, Sequence, Value

    features = Features(
        {"tokens": Sequence(Value("string")), "tags": Sequence(ClassLabel(names=["O", "B-X", "I-X"]))}
    )
    Dataset.from_dict({"tokens": TOKENS, "tags": TAGS}, features=features).save_to_disk(str(folder / "d"))
    return SourceConfig(address=str(folder / "d"), format="huggingface")


@pytest.mark.parametrize(
    "make", [_lists_in_csv, _lists_in_parquet, _lists_in_jsonl, _lists_in_conll, _lists_in_dataset]
)
def test_lists_come_out_as_they_went_in(tmp_path: Path, make: Callable[[Path], SourceConfig]):
    """Real lists, JSON arrays, words between blanks and columns of tokens give the same lists."""
    rows = _read(make(tmp_path), "token_classification")
    assert (rows["tokens"].to_pylist(), rows["tags"].to_pylist()) == (TOKENS, TAGS)


def test_a_folder_of_data_files_is_a_dataset(tmp_path: Path):
    """A folder that datasets can load is streamed, its only split taken by itself."""
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "train.jsonl").write_text('{"text": "x", "label": "a"}\n')
    source = SourceConfig(address=str(tmp_path / "d"), format="huggingface")
    assert _read(source)["text"].to_pylist() == ["x"]


def test_every_format_of_the_config_has_a_reader():
    """The config's formats and the readers are the same list."""
    assert set(FORMATS) == set(get_args(SourceFormat))


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("a.csv", "csv"),
        ("s3://b/x/*.TSV.gz", "tsv"),
        ("a.ndjson.zst", "jsonl"),
        ("a.parquet?x=1", "parquet"),
        ("a.iob", "conll"),
    ],
)
def test_the_suffix_tells_the_format(address: str, kind: str):
    """Compression and queries behind the suffix make no difference."""
    assert format_of(SourceConfig(address=address)) == kind


def test_an_unknown_suffix_needs_a_format():
    """Where the suffix says nothing, the config must."""
    with pytest.raises(ConfigError, match="Set `format`"):
        format_of(SourceConfig(address="data.txt"))
    assert format_of(SourceConfig(address="data.txt", format="conll")) == "conll"


def test_real_files_have_their_published_counts(data_folder: Path):
    """BANKING77 and WNUT17 come whole out of CSV, JSONL and CoNLL."""
    banking, wnut = data_folder / "banking77", data_folder / "wnut17"
    assert len(_read(SourceConfig(address=str(banking / "train.csv"), label_column="category"))) == 10_003
    assert len(_read(SourceConfig(address=str(banking / "all.jsonl"), text_column="sentence"))) == 13_083
    for name, rows in {
        "wnut17train.conll": 3394,
        "emerging.dev.conll": 1009,
        "emerging.test.annotated": 1287,
    }.items():
        assert (
            len(_read(SourceConfig(address=str(wnut / name), format="conll"), "token_classification")) == rows
        )
