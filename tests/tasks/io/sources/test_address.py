"""Environment variables in addresses: filled in where one is opened, hidden in every word about it."""

import sqlite3
from pathlib import Path

import pytest

from models.errors import ConfigError, DataError, QuickstudyError
from models.schemas import SourceConfig
from tasks.io.fingerprint import sources_fingerprint
from tasks.io.sources import batches, open_source
from tasks.io.sources.address import fill

AWKWARD = "s3cret/w@rd %"


def _texts(source: SourceConfig) -> list[str]:
    found = batches(open_source(source, "text_classification"))
    return [text for batch in found for text in batch.rows["text"].to_pylist()]


def test_variables_get_their_values(monkeypatch: pytest.MonkeyPatch):
    """Each ${NAME} is replaced, all else stays."""
    monkeypatch.setenv("BOX", "b")
    monkeypatch.setenv("DAY", "1")
    assert fill("s3://${BOX}/${DAY}/$x/{y}.csv").text == "s3://b/1/$x/{y}.csv"


def test_a_variable_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch):
    """The error says which one and what to do."""
    monkeypatch.delenv("BOX", raising=False)
    with pytest.raises(ConfigError, match=r"variable BOX, which is not set.*export BOX="):
        fill("s3://${BOX}/a.csv")


def test_values_are_hidden_in_messages(monkeypatch: pytest.MonkeyPatch):
    """A value is written as its ${NAME}, also where it was quoted for a URL."""
    monkeypatch.setenv("TOKEN", AWKWARD)
    monkeypatch.setenv("EMPTY", "")
    filled = fill("https://host/a.csv?t=${TOKEN}${EMPTY}")
    assert filled.hide(f"no {AWKWARD}, no s3cret%2Fw%40rd%20%25") == "no ${TOKEN}, no ${TOKEN}"
    assert "s3cret" not in repr(filled)


def test_a_file_s_address_may_name_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Reading and fingerprint find the file; the variable's value is in no name."""
    (tmp_path / "a.csv").write_text("text,label\nx,a\n")
    monkeypatch.setenv("FOLDER", str(tmp_path))
    source = SourceConfig(address="${FOLDER}/a.csv")
    assert _texts(source) == ["x"]
    assert sources_fingerprint([source]) == sources_fingerprint([SourceConfig(address=f"{tmp_path}/a.csv")])


def test_a_database_s_url_may_name_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A part of the URL or all of it may come from the environment."""
    base = sqlite3.connect(tmp_path / "a b.db")
    base.execute("create table t as select 'x' as text, 'a' as label")
    base.close()
    monkeypatch.setenv("BASE", str(tmp_path / "a b.db"))
    monkeypatch.setenv("BASE_URL", f"sqlite:///{tmp_path}/a b.db")
    for address in ("sqlite:///${BASE}", "${BASE_URL}"):
        assert _texts(SourceConfig(address=address, format="sql", query="t")) == ["x"]


def test_a_folder_of_a_dataset_may_be_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A data set's address is filled in as well."""
    (tmp_path / "train.jsonl").write_text('{"text": "x", "label": "a"}\n')
    monkeypatch.setenv("FOLDER", str(tmp_path))
    assert _texts(SourceConfig(address="${FOLDER}", format="huggingface")) == ["x"]


@pytest.mark.parametrize(
    ("address", "values"),
    [
        ("${SECRET}/a.csv", {}),
        ("memory://${SECRET}/*.csv", {}),
        ("nosuch://${SECRET}/a.csv", {}),
        ("sqlite:///${SECRET}.db", {"format": "sql", "query": "t"}),
        ("${SECRET}", {"format": "sql", "query": "t"}),
        ("nosuch://me:${SECRET}@host/base", {"format": "sql", "query": "t"}),
        ("${SECRET}", {"format": "huggingface"}),
    ],
)
def test_no_error_tells_a_variable_s_value(
    address: str, values: dict[str, str], monkeypatch: pytest.MonkeyPatch
):
    """Neither the message nor what a traceback would print after it holds the value."""
    monkeypatch.setenv("SECRET", AWKWARD)
    with pytest.raises(QuickstudyError) as caught:
        _texts(SourceConfig.model_validate({"address": address, **values}))
    error = caught.value
    assert "s3cret" not in f"{error} {error.__cause__}"
    assert error.__cause__ is not None or error.__suppress_context__ or error.__context__ is None


@pytest.mark.system
def test_a_password_is_filled_in_as_it_is(postgres_url: str, monkeypatch: pytest.MonkeyPatch):
    """A password with signs that mean something in a URL needs no quoting."""
    monkeypatch.setenv("PASSWORD", AWKWARD)
    address = postgres_url.replace("quickstudy@", "quickstudy:${PASSWORD}@")
    assert _texts(SourceConfig(address=address, format="sql", query="select 'x' as text, 'a' as label")) == [
        "x"
    ]
    with pytest.raises(DataError, match="nosuch") as caught:
        _texts(SourceConfig(address=address, format="sql", query="nosuch"))
    assert "s3cret" not in str(caught.value)
