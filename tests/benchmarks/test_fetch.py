"""Where the benchmarks' data comes from."""

import shutil
from pathlib import Path

from benchmarks.fetch import SETS, check, describe, read_sums


def test_every_sum_belongs_to_a_described_set():
    """No file is checked whose origin is not named, and every set is checked."""
    folders = {name.split("/")[0] for name in read_sums()} | {d.folder for d in SETS if d.whole}
    assert folders == {data.folder for data in SETS}


def test_the_description_names_every_origin():
    """Each set's repository and licence are told."""
    text = describe()
    assert all(data.origin in text and data.licence in text for data in SETS)


def test_an_empty_folder_lacks_everything(tmp_path: Path):
    """Every missing file is told."""
    assert len(check(tmp_path)) == len(read_sums()) + 1


def test_the_real_folder_is_complete(data_folder: Path):
    """The data that the figures were made with passes."""
    assert check(data_folder) == []


def test_a_changed_file_is_told(tmp_path: Path, data_folder: Path):
    """One changed file is named, with both sums."""
    shutil.copytree(data_folder / "wnut17", tmp_path / "wnut17")
    (tmp_path / "wnut17" / "emerging.dev.conll").write_text("changed")
    wrong = [line for line in check(tmp_path) if line.startswith("wnut17")]
    assert len(wrong) == 1
    assert wrong[0].startswith("wnut17/emerging.dev.conll has sha256")
