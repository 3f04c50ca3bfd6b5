"""Reading agents from YAML."""

from pathlib import Path

import pytest

from models.errors import ConfigError
from models.schemas.load import agent_from_mapping, load_agent, load_agents

GOOD = """\
name: sentiment
adapter: text_classification
labels: [negative, positive]
sources:
  - address: data/tweets.parquet
    domain: tweets
epochs: 3
"""


def _file(folder: Path, content: str | bytes, name: str = "agent.yaml") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_good_file_becomes_an_agent(tmp_path: Path):
    """Keys of the file are the fields of the agent; the rest has defaults."""
    agent = load_agent(_file(tmp_path, GOOD))
    assert (agent.name, agent.epochs, agent.sources[0].domain) == ("sentiment", 3, "tweets")


def test_a_byte_order_mark_is_accepted(tmp_path: Path):
    """A file saved by an editor that writes a byte order mark loads as well."""
    assert load_agent(_file(tmp_path, b"\xef\xbb\xbf" + GOOD.encode())).name == "sentiment"


def test_all_errors_come_at_once(tmp_path: Path):
    """One error lists every wrong key with its line, value and limit."""
    text = GOOD.replace("epochs: 3", "epochs: 0\nalhpa: 0.1\nseed: -1").replace("domain", "domian")
    with pytest.raises(ConfigError, match="4 errors") as error:
        load_agent(_file(tmp_path, text))
    message = str(error.value)
    assert "agent.yaml" in message
    assert "line 7: epochs is 0: input should be greater than or equal to 1" in message
    assert "line 8: alhpa is not a known key. Did you mean alpha?" in message
    assert "line 9: seed is -1: input should be greater than or equal to 0" in message
    assert "line 6: sources.0.domian is not a known key. Did you mean domain?" in message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("# nothing\n", "is empty"),
        ("- a\n- b\n", "holds a list"),
        ("just words\n", "holds a single value"),
        ("name: [a\nlabels: b\n", "line 2, column 7 is not valid YAML"),
        ("name: a\n---\nname: b\n", "is not valid YAML"),
        ("name:\ta\n\tb: c", "is not valid YAML"),
        ("name: !!python/object:os.system x\n", "can't read"),
        (b"name: caf\xe9\n", "line 1: byte 0xe9 is not UTF-8"),
        (GOOD + "epochs: 4\n", "line 8: epochs stands in line 7 already"),
        (GOOD.replace("[negative, positive]", "[yes, no]"), "put the word in quotes"),
        (GOOD.replace("[negative, positive]", "[1, 2]"), "Put it in quotes"),
        (GOOD.replace("[negative, positive]", "[a, a]"), "'a' is listed twice"),
        (GOOD.replace("[negative, positive]", "[a]"), "at least 2 labels"),
        (GOOD.replace("name: sentiment\n", ""), "name is missing"),
        (GOOD.replace("    domain: tweets", "    domain:\n      - x"), "line 6: sources.0.domain is"),
        (
            GOOD.replace("  - address: data/tweets.parquet\n  ", "  - "),
            "line 5: sources.0.address is missing",
        ),
        (GOOD + "split_by: time\n", "needs a time_column"),
        (GOOD + "zzzz: 1\n", "zzzz is not a known key. Known keys: schema_version, name"),
        (GOOD + "protected_slices: &a\n  x: *a\n", "alias"),
    ],
)
def test_a_wrong_file_is_refused_in_words(tmp_path: Path, text: str | bytes, said: str):
    """Each kind of wrong file gives a ConfigError that says what is wrong."""
    with pytest.raises(ConfigError) as error:
        load_agent(_file(tmp_path, text))
    assert said in str(error.value)


def test_a_missing_file_suggests_its_neighbour(tmp_path: Path):
    """A mistyped path is answered with the nearest file of the folder."""
    _file(tmp_path, GOOD, "sentiment.yaml")
    with pytest.raises(ConfigError, match=r"Did you mean .*sentiment\.yaml"):
        load_agent(tmp_path / "sentimnt.yaml")


def test_a_folder_gives_agents_by_name(tmp_path: Path):
    """Every YAML of a folder is loaded under its agent's name."""
    _file(tmp_path, GOOD, "one.yaml")
    _file(tmp_path, GOOD.replace("sentiment", "other"), "two.yml")
    assert set(load_agents(tmp_path)) == {"sentiment", "other"}


def test_a_folder_tells_the_errors_of_all_files(tmp_path: Path):
    """Errors of two files come in one message."""
    _file(tmp_path, GOOD + "a: 1", "one.yaml")
    _file(tmp_path, GOOD + "b: 1", "two.yaml")
    with pytest.raises(ConfigError, match=r"(?s)one\.yaml.*two\.yaml"):
        load_agents(tmp_path)


def test_two_files_can_not_share_a_name(tmp_path: Path):
    """The same agent in two files is refused."""
    _file(tmp_path, GOOD, "one.yaml")
    _file(tmp_path, GOOD, "two.yaml")
    with pytest.raises(ConfigError, match="both describe 'sentiment'"):
        load_agents(tmp_path)


def test_a_folder_without_agents_is_an_error(tmp_path: Path):
    """An empty folder is told, with the command that helps."""
    with pytest.raises(ConfigError, match="quickstudy init"):
        load_agents(tmp_path)


def test_a_call_gives_the_same_words_as_a_file(tmp_path: Path):
    """A wrong value from a form or a call is told like one of a file."""
    values = {"name": "a", "adapter": "text_classification", "labels": ["x", "y"], "epochs": 0}
    with pytest.raises(ConfigError, match="epochs is 0: input should be greater than or equal to 1") as error:
        agent_from_mapping({**values, "sources": [{"address": "a.csv"}]})
    assert "the given values has 1 error" in str(error.value)


def test_a_password_is_not_repeated(tmp_path: Path):
    """The error about a password names the key and shows stars."""
    text = GOOD.replace("data/tweets.parquet", "postgresql://user:s3cret@host/base")
    with pytest.raises(ConfigError, match=r"line 5: sources.0.address is .*user:\*\*\*@host") as error:
        load_agent(_file(tmp_path, text))
    assert "s3cret" not in str(error.value)
