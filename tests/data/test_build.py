"""The bundled samples and the functions that parse their sources."""

import re
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from data.build import clean_text, parse_addresses, parse_ratings, rating_label, write
from models.errors import DataError

DATA = Path(__file__).parents[2] / "data"
COUNTS = {"tweets": 4200, "movies": 10605, "products": 3708, "editorials": 5190}


@pytest.mark.parametrize(("domain", "rows"), COUNTS.items())
def test_each_domain_has_the_counts_of_the_readme(domain: str, rows: int):
    """Every domain's counts by label stand in the README as they are in the file."""
    table = pq.read_table(DATA / "sentiment" / f"{domain}.parquet")
    by_label = {x["values"]: x["counts"] for x in pc.value_counts(table["label"]).to_pylist()}
    cells = [f"{by_label[label]:,}" for label in ("negative", "neutral", "positive")]
    line = re.search(rf"^\| {domain}\b.*$", (DATA / "README.md").read_text(), re.MULTILINE)
    assert len(table) == rows
    assert line is not None
    assert line[0].split(" | ")[1:] == [*cells, f"{rows:,} |"]


def test_labels_follow_from_the_ratings():
    """Every bundled label is the class of the row's rating."""
    for domain in COUNTS:
        table = pq.read_table(DATA / "sentiment" / f"{domain}.parquet")
        assert table["label"].to_pylist() == [rating_label(r) for r in table["rating"].to_pylist()]


def test_texts_hold_no_leftovers_of_their_source():
    """No bundled text is empty or holds a carriage return, a control character or an entity."""
    for domain in COUNTS:
        text = pq.read_table(DATA / "sentiment" / f"{domain}.parquet")["text"]
        assert not pc.any(
            pc.match_substring_regex(text, r"[\x00-\x1f\x7f]|\p{Cc}|\x{FFFD}|&amp;|&lt;|&gt;|^\s*$")
        )


def test_addresses_are_whole():
    """All 1,513 addresses are there, each with as many tags as tokens and I- only after its type."""
    table = pq.read_table(DATA / "addresses.parquet")
    assert len(table) == 1513
    assert pc.sum(pc.list_value_length(table["tokens"])).as_py() == 10722
    for tags in table["tags"].to_pylist():
        before = ["O", *tags[:-1]]
        assert all(t[0] == "B" or b[2:] == t[2:] for b, t in zip(before, tags, strict=True))
    assert table["tokens"].combine_chunks().offsets.equals(table["tags"].combine_chunks().offsets)


def test_samples_are_small():
    """The bundled Parquet files weigh less than 3 MB together."""
    assert sum(p.stat().st_size for p in DATA.rglob("*.parquet")) < 3_000_000


def test_both_limits_belong_to_the_outer_classes():
    """A mean rating of -0.5 is negative and one of 0.5 positive."""
    assert [rating_label(r) for r in (-0.5, -0.49, 0.49, 0.5)] == [
        "negative",
        "neutral",
        "neutral",
        "positive",
    ]


def test_entities_are_unescaped_to_the_end():
    """A doubly escaped entity becomes the character it stands for."""
    assert clean_text(" at &amp;amp; t &lt;3 ") == "at & t <3"


def test_rating_lines_are_parsed():
    """Lines with Windows ends become rows with text, class, rating and domain."""
    table = parse_ratings(b"1_1\t-0.9\tno picture.\r\n2\t1.5\tYay &amp; so on \r\n", "products")
    assert table.select(["text", "label", "domain"]).to_pylist() == [
        {"text": "no picture.", "label": "negative", "domain": "products"},
        {"text": "Yay & so on", "label": "positive", "domain": "products"},
    ]


@pytest.mark.parametrize("line", ["1\tgood\ttext", "1\t0.5", "1\t0.5\ta\tb"])
def test_a_broken_rating_line_is_named(line: str):
    """A line that is not `id, rating, sentence` raises with its number."""
    with pytest.raises(DataError, match="tweets, line 2"):
        parse_ratings(f"1\t0.5\tfine\n{line}\n".encode(), "tweets")


def test_repeated_labels_are_one_entity_and_text_between_is_o():
    """Neighbours with one label become B- I-, text outside of elements becomes O."""
    xml = (
        b"<AddressCollection><AddressString>near <A>5th</A> <A>Huero Rd</A>, <B>X</B><A>Y</A>"
        b"</AddressString></AddressCollection>"
    )
    assert parse_addresses(xml).to_pylist() == [
        {
            "tokens": ["near", "5th", "Huero", "Rd", ",", "X", "Y"],
            "tags": ["O", "B-A", "I-A", "I-A", "O", "B-B", "B-A"],
        }
    ]


def test_nested_labels_are_refused():
    """An element inside of a labelled element raises."""
    with pytest.raises(DataError, match="one level"):
        parse_addresses(b"<C><AddressString><A>1 <B>2</B></A></AddressString></C>")


def test_the_same_table_gives_the_same_bytes(tmp_path: Path):
    """Writing a sample twice gives identical files."""
    table = parse_ratings(b"1\t0.5\tfine\n", "tweets")
    write(table, tmp_path / "one")
    write(table, tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
