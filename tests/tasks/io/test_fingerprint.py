"""What tells that a source holds something else now."""

from pathlib import Path

import fsspec
import pytest

from models.schemas import SourceConfig
from tasks.io.fingerprint import source_fingerprint, sources_fingerprint
from tests.tasks.io.site import Site


def _of(address: str) -> str | None:
    return source_fingerprint(SourceConfig(address=address))


def test_a_local_file_counts_by_content(tmp_path: Path):
    """Another place or time makes no difference, another byte does."""
    for folder in "ab":
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "rows.csv").write_text("x")
    before = _of(str(tmp_path / "a/rows.csv"))
    assert before == _of(str(tmp_path / "b/rows.csv"))
    (tmp_path / "a/rows.csv").write_text("y")
    assert _of(str(tmp_path / "a/rows.csv")) != before


def test_a_new_file_of_a_glob_counts(tmp_path: Path):
    """Every file that the address names is looked at."""
    (tmp_path / "a.csv").write_text("x")
    before = _of(str(tmp_path / "*.csv"))
    (tmp_path / "b.csv").write_text("x")
    assert _of(str(tmp_path / "*.csv")) != before


def test_a_file_of_another_file_system_counts_by_what_that_says():
    """A file that was written again differs."""
    file_system = fsspec.filesystem("memory")
    file_system.pipe("/fingerprint/rows.csv", b"x")
    before = _of("memory://fingerprint/rows.csv")
    assert before == _of("memory://fingerprint/rows.csv")
    file_system.pipe("/fingerprint/rows.csv", b"longer")
    assert _of("memory://fingerprint/rows.csv") != before


@pytest.mark.system
@pytest.mark.parametrize("header", ["ETag", "Last-Modified"])
def test_a_page_counts_by_what_its_server_says(site: Site, header: str):
    """The same version gives the same fingerprint, another version or size another one."""
    site.headers = {header: "one"}
    first = _of(site.url)
    assert first is not None
    assert first == _of(site.url)
    site.headers = {header: "two"}
    second = _of(site.url)
    site.content += b"y,b\n"
    assert len({first, second, _of(site.url)}) == 3


@pytest.mark.system
def test_a_page_without_a_version_can_not_be_told(site: Site):
    """Where the server says neither ETag nor Last-Modified, the file is read every time."""
    assert _of(site.url) is None


@pytest.mark.system
def test_a_page_read_through_a_cache_can_not_be_told(site: Site):
    """What a caching file system says of a file is about its copy."""
    site.headers = {"ETag": "one"}
    assert _of(f"simplecache::{site.url}") is None


@pytest.mark.parametrize("kind", ["sql", "huggingface"])
def test_what_changes_behind_our_back_can_not_be_told(kind: str):
    """Databases and hubs are read every time."""
    assert source_fingerprint(SourceConfig.model_validate({"address": "x", "format": kind})) is None


def test_one_source_that_can_not_be_told_makes_all_so(tmp_path: Path):
    """A step over several sources is cached only where each of them is known."""
    (tmp_path / "a.csv").write_text("x")
    known = SourceConfig(address=str(tmp_path / "a.csv"))
    assert sources_fingerprint([known, known]) == [source_fingerprint(known)] * 2
    assert sources_fingerprint([known, SourceConfig(address="t", format="sql")]) is None


@pytest.mark.parametrize("address", ["/nosuch/rows.csv", "nosuch://x/rows.csv", "${NO_SUCH_NAME}/a.csv"])
def test_a_fault_is_left_to_the_step(address: str):
    """Where a source can't be looked at, reading it will say why."""
    assert sources_fingerprint([SourceConfig(address=address)]) is None
