"""Agents found by name or path, with addresses that hold wherever the command is given."""

from pathlib import Path

import pytest

from deployments.agents import (
    PRETRAIN,
    STARTS,
    find_agent,
    find_pretraining,
    find_start,
    resolved,
    shipped_folder,
    window_source,
)
from models.errors import ConfigError
from models.schemas import SourceConfig

HERE = Path("/agents")


def _resolved(**fields: object) -> str:
    return resolved(SourceConfig.model_validate(fields), HERE).address


@pytest.mark.parametrize(
    ("address", "file_format", "becomes"),
    [
        ("rows.csv", None, "/agents/rows.csv"),
        ("../data/*.csv", None, "/data/*.csv"),
        ("/data/rows.csv", None, "/data/rows.csv"),
        ("~/rows.csv", None, "~/rows.csv"),
        ("s3://bucket/rows.csv", None, "s3://bucket/rows.csv"),
        ("sqlite:///rows.db", "sql", "sqlite:////agents/rows.db"),
        ("sqlite+pysqlite:///../rows.db", "sql", "sqlite+pysqlite:////rows.db"),
        ("sqlite:////data/rows.db", "sql", "sqlite:////data/rows.db"),
        ("sqlite:///:memory:", "sql", "sqlite:///:memory:"),
        ("sqlite:///${ROWS}/rows.db", "sql", "sqlite:///${ROWS}/rows.db"),
        ("postgresql://host/rows", "sql", "postgresql://host/rows"),
        ("./rows", "huggingface", "/agents/rows"),
        ("owner/rows", "huggingface", "owner/rows"),
    ],
)
def test_a_relative_address_counts_from_the_folder(address: str, file_format: str | None, becomes: str):
    """Paths of files, SQLite URLs and ./folders are made absolute; what is no path stays as it is."""
    assert _resolved(address=address, format=file_format) == becomes


@pytest.mark.parametrize(("encoder", "relative"), [("./encoder", True), ("owner/encoder", False)])
def test_an_encoder_counts_from_the_folder_where_it_says_so(tmp_path: Path, encoder: str, relative: bool):
    """An encoder written as ./folder lies beside the YAML file; any other name is left alone."""
    path = tmp_path / "small.yaml"
    path.write_text(
        "schema_version: 1\nname: small\nadapter: text_classification\nlabels: [a, b]\n"
        f"sources: [{{address: rows.csv}}]\nencoder: {encoder}\n"
    )
    assert find_agent(str(path)).encoder == (str(tmp_path / "encoder") if relative else encoder)


def test_every_shipped_pretraining_is_whole():
    """Each YAML in agents/pretrain loads, and its files are there."""
    names = [path.stem for path in (shipped_folder() / PRETRAIN).glob("*.yaml")]
    assert names
    for name in names:
        start = find_pretraining(name)
        assert start.name == name
        assert all(Path(source.address).is_file() for source in start.sources)


def test_every_shipped_start_is_whole():
    """Each YAML in agents/starts loads, and its files are there."""
    names = [path.stem for path in (shipped_folder() / STARTS).glob("*.yaml")]
    assert names
    for name in names:
        start = find_start(name)
        assert start.name == name
        assert all(Path(source.source.address).is_file() for source in start.sources)


def test_an_unknown_start_names_those_that_are_known():
    """The message says where it was looked for."""
    with pytest.raises(ConfigError, match=r"No start 'nosuch': neither agents/starts/nosuch.yaml.*opinions"):
        find_start("nosuch")


def test_a_wrong_key_of_a_start_is_told_with_its_place(tmp_path: Path):
    """Errors of a start's file read as those of an agent's."""
    path = tmp_path / "words.yaml"
    path.write_text(
        "name: words\nsources:\n  - adapter: text_classification\n    source: {adress: rows.csv}\nstep: 3\n"
    )
    with pytest.raises(ConfigError) as error:
        find_start(str(path))
    assert "line 4: sources.0.source.adress is not a known key. Did you mean address?" in str(error.value)
    assert "line 5: step is not a known key. Did you mean steps?" in str(error.value)


def test_an_agent_is_not_named_like_a_start(tmp_path: Path):
    """The registry would mix them up."""
    path = tmp_path / "agent.yaml"
    path.write_text(
        "schema_version: 1\nname: start-mood\nadapter: text_classification\nlabels: [a, b]\n"
        "sources: [{address: rows.csv}]\n"
    )
    with pytest.raises(ConfigError, match="names that begin with start- belong to starts"):
        find_agent(str(path))


def test_a_window_keeps_the_columns_and_the_format():
    """A window whose name says no format is read as the agent's first source is."""
    first = SourceConfig(address="old.txt", format="conll", token_index=1, domain_column=None)
    window = window_source(first, "/new.txt", {})
    assert (window.address, window.format, window.token_index) == ("/new.txt", "conll", 1)


def test_a_suffix_tells_the_format_of_a_window():
    """A window in another format than the first source needs no word about it."""
    first = SourceConfig(address="sqlite:///a.db", format="sql", query="rows")
    window = window_source(first, "/new.csv", {})
    assert (window.format, window.query) == ("csv", None)


def test_a_window_without_a_suffix_is_of_the_first_ones_kind():
    """What the first source's own name told counts for a window as well."""
    assert window_source(SourceConfig(address="a.csv"), "/new.txt", {}).format == "csv"


@pytest.mark.parametrize(("said", "query"), [({}, "rows"), ({"query": "select 1"}, "select 1")])
def test_a_database_can_be_a_window(said: dict[str, str], query: str):
    """Another database is asked the first one's query, or what the command line says."""
    first = SourceConfig(address="sqlite:///a.db", format="sql", query="rows")
    window = window_source(first, "sqlite:////new.db", said)
    assert (window.format, window.query) == ("sql", query)


def test_any_format_can_be_named():
    """A data set from a hub can be the window of an agent that learned from files."""
    said = {"format": "huggingface", "query": "test"}
    window = window_source(SourceConfig(address="a.csv"), "owner/rows", said)
    assert (window.address, window.format, window.query) == ("owner/rows", "huggingface", "test")


def test_a_fixed_domain_is_not_copied():
    """New rows are not filed under the domain of the old ones unbidden."""
    assert window_source(SourceConfig(address="a.csv", domain="tweets"), "/new.csv", {}).domain is None


def test_a_domain_can_be_named():
    """A domain that the command line names counts for all rows, in place of a column."""
    first = SourceConfig(address="a.csv", domain_column="domain")
    window = window_source(first, "/new.csv", {"domain": "reviews"})
    assert (window.domain, window.domain_column) == ("reviews", None)


def test_a_window_counts_from_the_present_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A relative window is a path as the shell sees it."""
    monkeypatch.chdir(tmp_path)
    assert window_source(SourceConfig(address="a.csv"), "new.csv", {}).address == str(tmp_path / "new.csv")


def test_an_unknown_format_is_refused():
    """The error names the formats that there are."""
    with pytest.raises(ConfigError, match=r"--format: .*'csv', 'tsv'"):
        window_source(SourceConfig(address="a.csv"), "/new.xls", {"format": "excel"})
