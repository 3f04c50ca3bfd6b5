"""From sources of any format to distinct texts, each in its split."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from models.errors import DataError
from models.schemas import SourceConfig
from models.schemas.pretrain import Corpus
from models.text_hash import SPLITS, split_codes, text_hashes
from tasks.io.corpus import DOCUMENTS, Shares, gather_texts

SHARES = Shares(validation=0.1, test=0.2, quarantine=0.5)


def _texts(corpus: Corpus) -> pa.Table:
    return pq.read_table(Path(corpus.artifact.address) / DOCUMENTS)


def _write(path: Path, content: str) -> SourceConfig:
    path.write_text(content, encoding="utf-8")
    return SourceConfig(address=str(path))


def test_any_format_gives_texts(tmp_path: Path):
    """CSV, JSON lines, Parquet and CoNLL stand side by side; of each row only the text is asked for."""
    pq.write_table(pa.table({"text": ["from parquet"], "other": [1]}), tmp_path / "d.parquet")
    sources = (
        _write(tmp_path / "a.csv", "text,label\nfrom csv,x\n"),
        _write(tmp_path / "b.jsonl", '{"text": "from json"}\n').model_copy(update={"domain": "web"}),
        SourceConfig(address=str(tmp_path / "d.parquet")),
        _write(tmp_path / "c.conll", "from O\nconll O\n\n"),
    )
    rows = _texts(gather_texts("start-x", sources, SHARES, tmp_path)).to_pylist()
    assert [row["text"] for row in rows] == ["from csv", "from json", "from parquet", "from conll"]
    assert [row["source"] for row in rows] == ["a", "b", "d", "c"]
    assert [row["domain"] for row in rows] == [None, "web", None, None]


def test_equal_texts_count_once(tmp_path: Path):
    """The first of the texts that are equal after normalization stays; the others say why they do not."""
    rows = "text\nHello there\nhello  THERE\nHello there\nsomething else\n"
    corpus = gather_texts("start-x", (_write(tmp_path / "a.csv", rows),), SHARES, tmp_path)
    assert _texts(corpus)["text"].to_pylist() == ["Hello there", "something else"]
    assert corpus.reasons == {"duplicate": 1, "duplicate after normalization": 1}
    assert corpus.documents + corpus.quarantined == 4


def test_a_texts_hash_decides_its_split(tmp_path: Path):
    """Splits are those that an agent's rows would have with these shares, whatever else is in the corpus."""
    many = [f"text number {n}" for n in range(400)]
    source = _write(tmp_path / "a.csv", "text\n" + "\n".join(many) + "\n")
    corpus = gather_texts("start-x", (source,), SHARES, tmp_path)
    found = _texts(corpus)
    codes = split_codes(text_hashes(pa.array(many)), 0.1, 0.2)
    assert found["split"].to_pylist() == [SPLITS[code] for code in codes]
    assert corpus.split_counts == {name: int((codes == i).sum()) for i, name in enumerate(SPLITS)}


def test_texts_of_a_document_stay_together(tmp_path: Path):
    """Where a column names the document, its texts are held out together; a source may be held out whole."""
    lines = "".join(f"turn {n} of {n // 10},{n // 10}\n" for n in range(200))
    talks = _write(tmp_path / "a.csv", "text,talk\n" + lines)
    kept = _write(tmp_path / "b.csv", "text\none more\nand one\n")
    sources = (
        talks.model_copy(update={"document_column": "talk"}),
        kept.model_copy(update={"held_out": True}),
    )
    rows = _texts(gather_texts("start-x", sources, SHARES, tmp_path))
    own = rows.filter(pc.equal(rows["source"], "a"))
    talk = pc.replace_substring_regex(own["text"], r".* of ", "")
    pairs = {(a, b) for a, b in zip(talk.to_pylist(), own["split"].to_pylist(), strict=True)}
    assert len(pairs) == 20
    assert len({split for _, split in pairs}) > 1
    assert set(rows.filter(pc.equal(rows["source"], "b"))["split"].to_pylist()) == {"test"}


def test_the_same_texts_are_the_same_corpus(tmp_path: Path):
    """A corpus lies under the digest of its content, and nothing half-made beside it."""
    source = _write(tmp_path / "a.csv", "text\none\ntwo\n")
    first, second = (gather_texts("start-x", (source,), SHARES, tmp_path / "home") for _ in range(2))
    assert first == second
    assert [p.name for p in (tmp_path / "home" / "snapshots").iterdir()] == [first.artifact.digest]


def test_unreadable_and_empty_texts_are_put_aside(tmp_path: Path):
    """Each goes to the quarantine with its reason; too many are refused, with where they are kept."""
    (tmp_path / "a.csv").write_bytes(b"text\ngood\n  \nbr\xffken\n" + b"fine\n" * 1)
    source = SourceConfig(address=str(tmp_path / "a.csv"))
    corpus = gather_texts("start-x", (source,), SHARES, tmp_path)
    assert corpus.reasons == {"broken encoding": 1, "empty text": 1}
    strict = SHARES.model_copy(update={"quarantine": 0.1})
    with pytest.raises(DataError, match=r"2 of 4 texts are bad \(50.0%\).*line 4"):
        gather_texts("start-x", (source,), strict, tmp_path)
    assert (tmp_path / "quarantine" / "start-x.parquet").is_file()


def test_no_text_at_all_is_refused(tmp_path: Path):
    """An empty source says so."""
    with pytest.raises(DataError, match="hold no texts"):
        gather_texts("start-x", (_write(tmp_path / "a.csv", "text\n"),), SHARES, tmp_path)


def test_a_wrong_column_is_told(tmp_path: Path):
    """The error names the columns that are there."""
    with pytest.raises(DataError, match=r"no column 'text'.*Set text_column"):
        gather_texts("start-x", (_write(tmp_path / "a.csv", "body\nx\n"),), SHARES, tmp_path)
