from pathlib import Path

import pytest

from models.errors import ArtifactError
from tasks.io.digests import checked, digest_of, ref_to


def test_a_changed_byte_is_refused(tmp_path: Path):
    """An artifact is checked against its digest before use."""
    file = tmp_path / "weights"
    file.write_bytes(b"abc")
    ref = ref_to(file)
    file.write_bytes(b"abd")
    with pytest.raises(ArtifactError, match="it was changed after"):
        checked(ref)


def test_a_missing_artifact_says_how_to_make_it(tmp_path: Path):
    """A missing artifact's error names the command that makes it again."""
    file = tmp_path / "weights"
    file.write_bytes(b"abc")
    ref = ref_to(file)
    file.unlink()
    with pytest.raises(ArtifactError, match="quickstudy train"):
        checked(ref)


def test_a_renamed_file_changes_a_folder(tmp_path: Path):
    """A folder's digest covers the names of its files."""
    (tmp_path / "a").write_text("1")
    before = ref_to(tmp_path).digest
    (tmp_path / "a").rename(tmp_path / "b")
    assert ref_to(tmp_path).digest != before


def test_sets_digest_alike_in_any_order():
    """A set's digest does not depend on the order of its hash table."""
    assert digest_of({"x", "y", "z"}) == digest_of({"z", "y", "x"})
