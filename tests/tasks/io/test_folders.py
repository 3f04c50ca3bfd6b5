from pathlib import Path

import pytest

from tasks.io.folders import new_folder


def test_a_folder_appears_whole(tmp_path: Path):
    """The final name is there once the body has ended well."""
    with new_folder(tmp_path / "out") as folder:
        (folder / "a").write_text("1")
        assert not (tmp_path / "out").exists()
    assert (tmp_path / "out" / "a").read_text() == "1"


def test_a_failed_body_leaves_nothing(tmp_path: Path):
    """An error in the body removes the temporary folder."""
    with pytest.raises(ValueError, match="broken"), new_folder(tmp_path / "out") as folder:
        (folder / "a").write_text("1")
        raise ValueError("broken")
    assert list(tmp_path.iterdir()) == []


def _make(final: Path) -> None:
    with new_folder(final) as folder:
        (folder / "a").write_text("1")


def test_what_is_there_already_stays(tmp_path: Path):
    """Names are digests, so the first whole folder of a name serves."""
    _make(tmp_path / "out")
    first = (tmp_path / "out").stat().st_ino
    _make(tmp_path / "out")
    assert (tmp_path / "out").stat().st_ino == first


def test_a_damaged_folder_is_replaced(tmp_path: Path):
    """What differs from the folder that was made again under its name was changed after it was made."""
    _make(tmp_path / "out")
    (tmp_path / "out" / "a").write_text("2")
    _make(tmp_path / "out")
    assert (tmp_path / "out" / "a").read_text() == "1"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
