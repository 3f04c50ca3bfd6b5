"""Versions whose files were changed or removed after they were registered."""

from collections.abc import Callable
from pathlib import Path

import pytest

from models.errors import ArtifactError, RegistryError
from tasks.io.books import CHAMPION, Books
from tasks.io.versions import find_version, load_champion, package_folder

# MLflow 3.17.2 uses what SQLAlchemy 2.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")

AddVersion = Callable[..., int]


def damage(books: Books, version: int) -> None:
    """Change a stored file of `agent`."""
    (package_folder(books, "agent", version) / "MLmodel").write_text("changed")


def test_the_version_of_a_training_is_found(books: Books, add_version: AddVersion):
    """One training has one version."""
    add_version()
    found = find_version(books, "agent", "agent-0")
    assert found is not None
    assert found.version == 1


def test_a_damaged_version_is_no_answer(books: Books, add_version: AddVersion):
    """A training whose version was changed afterwards has to be registered again."""
    damage(books, add_version())
    assert find_version(books, "agent", "agent-0") is None


def test_a_damaged_champion_is_not_loaded(books: Books, add_version: AddVersion):
    """Nobody gets predictions from weights that changed; the error says what to do."""
    damage(books, add_version())
    books.client.set_registered_model_alias("agent", CHAMPION, "1")
    with pytest.raises(ArtifactError, match=r"not those that were registered.*`quickstudy train agent`"):
        load_champion(books, "agent")


def test_a_foreign_champion_is_not_loaded(books: Books, add_version: AddVersion, tmp_path: Path):
    """A version that somebody else registered is named as such."""
    add_version()
    (tmp_path / "MLmodel").write_text("foreign")
    books.client.create_model_version("agent", str(tmp_path))
    books.client.set_registered_model_alias("agent", CHAMPION, "2")
    with pytest.raises(RegistryError, match="was not registered by quickstudy"):
        load_champion(books, "agent")
