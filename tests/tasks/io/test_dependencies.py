from importlib.metadata import version
from pathlib import Path

from tasks.io.dependencies import LOCK, closure, lock_digest
from tasks.io.digests import digest_of, file_digest

ROOT = Path(__file__).parents[3]


def test_in_a_checkout_the_lock_file_counts():
    """The tag of a version is the sha256 that `sha256sum requirements.lock` prints."""
    assert lock_digest(["numpy"]) == file_digest(ROOT / LOCK)


def test_elsewhere_the_installed_versions_count(tmp_path: Path):
    """A wheel carries no lock file."""
    assert lock_digest(["numpy"], tmp_path) == digest_of({"numpy": version("numpy")})


def test_the_closure_follows_requirements():
    """What a requirement requires is in it; what nobody requires is not."""
    names = {found.metadata["Name"].lower() for found in closure(["pandas==0"])}
    assert {"pandas", "numpy", "python-dateutil", "six"} <= names
    assert not {"prefect", "torch", "pytest", "sqlalchemy"} & names
