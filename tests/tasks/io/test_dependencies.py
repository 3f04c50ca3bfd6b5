from importlib.metadata import version
from pathlib import Path

from tasks.io.dependencies import LOCK, installed, lock_digest
from tasks.io.digests import digest_of, file_digest

ROOT = Path(__file__).parents[3]


def test_in_a_checkout_the_lock_file_counts():
    """The tag of a version is the sha256 that `sha256sum requirements.lock` prints."""
    assert lock_digest(["numpy"]) == file_digest(ROOT / LOCK)


def test_elsewhere_the_installed_versions_count(tmp_path: Path):
    """A wheel carries no lock file."""
    assert lock_digest(["numpy"], tmp_path) == digest_of({"numpy": version("numpy")})


def test_what_a_library_requires_counts():
    """The versions of a requirement's own requirements are among them; optional parts are not."""
    found = installed(["pandas"])
    assert found["six"] == version("six")
    assert "sqlalchemy" not in found
