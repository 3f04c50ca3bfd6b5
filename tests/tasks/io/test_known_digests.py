import os
from pathlib import Path

from tasks.io.digests import ref_to
from tasks.io.known_digests import known_digest


def test_files_and_folders_have_their_usual_digest(tmp_path: Path):
    """It is the digest that an artifact is recorded with."""
    (tmp_path / "a").write_text("1")
    for path in (tmp_path, tmp_path / "a"):
        assert known_digest(path) == ref_to(path).digest


def test_a_file_that_changed_is_read_again(tmp_path: Path):
    """Another content of the same length gives another digest in the same process."""
    (tmp_path / "a").write_text("1")
    before = known_digest(tmp_path)
    (tmp_path / "a").write_text("2")
    assert known_digest(tmp_path) != before


def test_a_file_that_did_not_change_is_read_once(tmp_path: Path):
    """While size and time stay, the digest is remembered: hashing costs, looking does not."""
    (tmp_path / "a").write_text("1")
    before, times = known_digest(tmp_path), (tmp_path / "a").stat()
    (tmp_path / "a").write_text("2")
    os.utime(tmp_path / "a", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert known_digest(tmp_path) == before
