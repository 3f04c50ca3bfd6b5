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


def test_what_is_there_already_stays(tmp_path: Path):
    """Names are digests, so the first folder of a name serves."""
    for text in "12":
        with new_folder(tmp_path / "out") as folder:
            (folder / "a").write_text(text)
    assert (tmp_path / "out" / "a").read_text() == "1"
