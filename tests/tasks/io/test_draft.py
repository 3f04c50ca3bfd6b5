"""First descriptions written from looking at a file."""

import json
from pathlib import Path

import pytest
import yaml

from models.errors import ConfigError, DataError
from models.schemas import AgentConfig
from models.schemas.load import load_agent
from tasks.io.draft import draft_agent

DATA = Path(__file__).parents[3] / "data"


def _drafted(folder: Path, data: Path) -> AgentConfig:
    (folder / "x.yaml").write_text(draft_agent("x", data, folder), "utf-8")
    return load_agent(folder / "x.yaml")


def test_bundled_texts_are_understood(tmp_path: Path):
    """The bundled tweets give a text classifier with their three labels and their domain column."""
    agent = _drafted(tmp_path, DATA / "sentiment" / "tweets.parquet")
    assert (agent.adapter, set(agent.labels)) == ("text_classification", {"negative", "neutral", "positive"})
    assert agent.sources[0].domain_column == "domain"
    assert (tmp_path / agent.sources[0].address).resolve() == DATA / "sentiment" / "tweets.parquet"


def test_bundled_addresses_are_understood(tmp_path: Path):
    """The bundled addresses give a tagger with all entity types."""
    agent = _drafted(tmp_path, DATA / "addresses.parquet")
    assert (agent.adapter, len(agent.labels), agent.labels[0]) == ("token_classification", 29, "StreetName")


def test_unusual_names_are_guessed_by_content(tmp_path: Path):
    """The long column is the text, the one that repeats the label, ISO times the time."""
    rows = [
        f"{i},this is the long number {i},{'yes' if i % 2 else 'no'},2024-01-{i:02}" for i in range(1, 29)
    ]
    (tmp_path / "a.csv").write_text("\n".join(["id,words,kind,created_at", *rows]))
    source = _drafted(tmp_path, tmp_path / "a.csv").sources[0]
    assert (source.text_column, source.label_column, source.time_column) == ("words", "kind", "created_at")


def test_a_label_of_the_usual_name_need_not_repeat(tmp_path: Path):
    """One example a class is enough for some starts."""
    (tmp_path / "a.csv").write_text("text,label\nmy card is gone,lost\nwhere is my pay,pay\nhi,greet\n")
    assert set(_drafted(tmp_path, tmp_path / "a.csv").labels) == {"lost", "pay", "greet"}


def test_a_label_that_repeats_goes_before_a_usual_name(tmp_path: Path):
    """Titles called `topic` are no labels where another column has two kinds."""
    rows = [f"this is the long text {i},title {i},{'ab'[i % 2]}" for i in range(20)]
    (tmp_path / "a.csv").write_text("\n".join(["body,topic,kind", *rows]))
    assert _drafted(tmp_path, tmp_path / "a.csv").sources[0].label_column == "kind"


def test_labels_that_yaml_would_misread_are_quoted(tmp_path: Path):
    """Labels like `yes` and `1` come back as the strings they are."""
    (tmp_path / "a.csv").write_text("text,label\n" + "some text,yes\nother text,1\n" * 5)
    assert set(_drafted(tmp_path, tmp_path / "a.csv").labels) == {"yes", "1"}


def test_a_file_without_a_header_is_noticed(tmp_path: Path):
    """Where names are values, columns are told by position."""
    (tmp_path / "a.tsv").write_text("".join(f"{'ab'[i % 2]}\tsentence number {i}\n" for i in range(20)))
    source = _drafted(tmp_path, tmp_path / "a.tsv").sources[0]
    assert (source.text_column, source.label_column) == ("1", "0")


def test_words_and_tags_in_strings_are_noticed(tmp_path: Path):
    """Space separated tokens and tags make a tagger."""
    rows = [{"words": "Ann left", "ner": "B-PER O"}, {"words": "in Rome", "ner": "O B-LOC"}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    agent = _drafted(tmp_path, tmp_path / "a.jsonl")
    assert (agent.sources[0].tokens_column, agent.sources[0].tags_column) == ("words", "ner")
    assert set(agent.labels) == {"PER", "LOC"}


def test_conll_needs_no_columns(tmp_path: Path):
    """CoNLL files are taggers by their format."""
    (tmp_path / "a.conll").write_text("Ann B-PER\nleft O\n")
    assert _drafted(tmp_path, tmp_path / "a.conll").labels == ("PER",)


def test_guesses_are_said_in_comments(tmp_path: Path):
    """The YAML says what was guessed and which labels are rare."""
    text = draft_agent("x", DATA / "addresses.parquet", tmp_path)
    comments = [line for line in text.splitlines() if line.startswith("#")]
    assert any("'tags' holds BIO tags" in line for line in comments)
    assert any("ZipPlus4 (2)" in line for line in comments)
    assert yaml.safe_load(text)["name"] == "x"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "no rows"),
        ("text,label\n", "no rows"),
        ("a,b\nx,1\ny,2\nz,3\nw,4\n", "no text was found with a label of two kinds or more that repeat"),
    ],
)
def test_a_file_that_says_too_little_is_refused(tmp_path: Path, content: str, says: str):
    """Nothing is written where nothing was found."""
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(DataError, match=says):
        draft_agent("x", tmp_path / "a.csv")


def test_a_name_that_no_agent_can_have_is_refused():
    """The draft is checked before it is given."""
    with pytest.raises(ConfigError, match="name is 'My Agent'"):
        draft_agent("My Agent", DATA / "sentiment" / "tweets.parquet")


def test_summaries_are_understood(tmp_path: Path):
    """A column called summary is written from the longest text, by a small seq2seq model."""
    (tmp_path / "a.csv").write_text(
        "id,article,summary\n1,a long story about cats,cats\n2,one of dogs,dogs\n"
    )
    agent = _drafted(tmp_path, tmp_path / "a.csv")
    assert (agent.adapter, agent.encoder) == ("summarization", "google/flan-t5-small")
    assert agent.sources[0].columns == {"text": "article", "target": "summary"}


def test_a_summary_beside_a_label_is_none(tmp_path: Path):
    """Reviews with a title and a label are to be classified."""
    rows = [f"this is the long text {i},title {i},{'ab'[i % 2]}" for i in range(20)]
    (tmp_path / "a.csv").write_text("\n".join(["body,summary,label", *rows]))
    assert _drafted(tmp_path, tmp_path / "a.csv").adapter == "text_classification"
