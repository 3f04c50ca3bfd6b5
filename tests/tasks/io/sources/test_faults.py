"""Which faults of reading from elsewhere may pass by themselves."""

import socket
from pathlib import Path

import pytest
import sqlalchemy as sa

from models.errors import DataError, QuickstudyError, TransientError
from models.schemas import SourceConfig
from tasks.io.sources import batches, open_source
from tasks.io.sources.faults import can_pass
from tests.tasks.io.site import Site


def _read(address: str, **values: str) -> list[str]:
    source = SourceConfig.model_validate({"address": address, **values})
    found = batches(open_source(source, "text_classification"))
    return [text for batch in found for text in batch.rows["text"].to_pylist()]


@pytest.fixture
def nowhere() -> str:
    """Give a host and port of this machine where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


@pytest.mark.system
def test_a_page_is_read(site: Site):
    """An http address is an address like any other."""
    assert _read(site.url) == ["x"]


@pytest.mark.system
@pytest.mark.parametrize(
    ("status", "error"),
    [(404, DataError), (403, DataError), (500, TransientError), (503, TransientError), (429, TransientError)],
)
def test_a_server_s_answer_tells_whether_to_try_again(site: Site, status: int, error: type[QuickstudyError]):
    """A busy or broken server may recover; a page that is not there or not ours stays so."""
    site.status = status
    with pytest.raises(error):
        _read(site.url)


@pytest.mark.system
def test_a_page_that_breaks_off_may_come_whole_later(site: Site):
    """A connection that ends too early is the network's fault."""
    site.cut = 5
    with pytest.raises(TransientError, match="can't be read"):
        _read(site.url)


def test_a_server_that_does_not_answer_may_answer_later(nowhere: str):
    """A refused connection is tried again."""
    with pytest.raises(TransientError, match="can't be read"):
        _read(f"http://{nowhere}/rows.csv")


def test_a_database_that_does_not_answer_may_answer_later(nowhere: str):
    """So is one to a database."""
    pytest.importorskip("psycopg")
    with pytest.raises(TransientError):
        _read(f"postgresql+psycopg://me@{nowhere}/base", format="sql", query="t")


def test_a_file_that_can_not_be_read_stays_so(tmp_path: Path):
    """What this machine's disk says is no fault of a network."""
    (tmp_path / "a.csv.gz").write_bytes(b"no gzip")
    with pytest.raises(DataError):
        _read(str(tmp_path / "a.csv.gz"))


def test_the_network_may_stand_behind_an_error():
    """A library's own error counts by what it was raised from."""
    found, lost = FileNotFoundError("x"), FileNotFoundError("x")
    lost.__cause__ = TimeoutError()
    assert (can_pass(found), can_pass(lost)) == (False, True)


def test_working_offline_does_not_pass():
    """A hub that may not be asked will not be asked a minute later either."""
    with pytest.raises(DataError, match="can't be loaded"):
        _read("nobody/nothing-at-all", format="huggingface")


@pytest.mark.system
@pytest.mark.parametrize("change", ["user", "database"])
def test_an_unknown_user_or_database_stays_unknown(postgres_url: str, change: str):
    """The database's refusal is told once, not tried again."""
    url = sa.make_url(postgres_url)
    wrong = url.set(username="nosuch") if change == "user" else url.set(database="nosuch")
    with pytest.raises(DataError, match="nosuch"):
        _read(wrong.render_as_string(), format="sql", query="t")
