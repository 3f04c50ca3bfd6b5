"""Bases of tuned versions: stored once, kept as long as a version stands on them, fetched once."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from models.errors import ArtifactError
from models.predictor import Predictor
from models.schemas import AgentConfig, SourceConfig
from models.task_model import build, load, save
from models.tuning.bases import WEIGHTS, read_ref
from tasks.io.bases import BASE_TAG, base_tags, fetch_base, keep_base, publish_base
from tasks.io.books import Books
from tasks.io.digests import ref_to
from tasks.io.gc import Retention, find_garbage
from tasks.io.registry import Registration, model_folder, package_folder, register, version_info
from tasks.io.tracking import open_run
from tests.models.tiny import store_tiny_encoder
from tests.tasks.io.test_gc import age

# MLflow 3.17.2 uses what SQLAlchemy 2.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")
EXAMPLE = ("a fine film", "a dull one")


@pytest.fixture
def tuned(tmp_path: Path) -> Callable[[str], Path]:
    """Give a function that stores an agent tuned in some way, all on one encoder."""
    store_tiny_encoder(tmp_path / "encoder")

    def make(way: str) -> Path:
        config = AgentConfig(
            name="agent",
            adapter="text_classification",
            labels=("a", "b"),
            sources=(SourceConfig(address="x.csv"),),
            encoder=str(tmp_path / "encoder"),
            max_length=32,
            stride=0,
            tuning=way,
        )
        save(tmp_path / "home" / way, *build(config), config)
        return tmp_path / "home" / way

    return make


def test_agents_on_one_encoder_share_its_weights(books: Books, tuned: Callable[[str], Path]):
    """Two agents tuned in two ways have one base on the disk, and load without the encoder's own folder."""
    models = [tuned("bitfit"), tuned("bottleneck")]
    for model in models:
        keep_base(books, model)
    ref = read_ref(models[0])
    assert ref is not None
    assert [path.name for path in books.bases.iterdir()] == [ref.digest]
    shutil.rmtree(ref.id)
    assert {load(model).config.tuning for model in models} == {"bitfit", "bottleneck"}


def test_a_whole_model_has_no_base(books: Books, tuned: Callable[[str], Path]):
    """Nothing is stored beside it."""
    model = tuned("full")
    keep_base(books, model)
    assert base_tags(model) == {}
    assert not books.bases.exists()


def test_a_damaged_base_is_stored_anew(books: Books, tuned: Callable[[str], Path]):
    """The next agent that stands on it puts it right."""
    model = tuned("bitfit")
    keep_base(books, model)
    (digest,) = base_tags(model).values()
    path = books.bases / digest / WEIGHTS
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + b"x")
    keep_base(books, model)
    assert path.read_bytes() == whole


def test_a_base_that_was_published_is_fetched_once(books: Books, tuned: Callable[[str], Path]):
    """Another machine gets it from MLflow's artifacts; what nobody stored is told."""
    model = tuned("bitfit")
    keep_base(books, model)
    ref = read_ref(model)
    assert ref is not None
    publish_base(books, ref)
    publish_base(books, ref)
    elsewhere = replace(books, scratch=books.scratch.parent / "machine" / "scratch")
    fetch_base(elsewhere, ref.digest)
    fetched, original = (place.bases / ref.digest / WEIGHTS for place in (elsewhere, books))
    assert fetched.read_bytes() == original.read_bytes()
    fetch_base(elsewhere, ref.digest)
    with pytest.raises(ArtifactError, match=r"is neither in .* nor among MLflow's artifacts"):
        fetch_base(elsewhere, "0" * 64)


def test_a_base_in_use_is_no_garbage(books: Books, tuned: Callable[[str], Path]):
    """However old, it stays while a version stands on it, and goes after a while when none does."""
    model = tuned("bitfit")
    keep_base(books, model)
    home, tags = books.scratch.parent, base_tags(model)
    age(books.bases / tags[BASE_TAG], 400)
    assert [item.kind for item in find_garbage(books, home, Retention())] == ["bases"]
    books.client.create_registered_model("agent")
    books.client.create_model_version("agent", str(model), tags=tags)
    assert find_garbage(books, home, Retention()) == ()


@pytest.mark.system
def test_a_tuned_version_is_small_and_loads_anywhere(books: Books, tuned: Callable[[str], Path]):
    """It is checked in a fresh process, pins peft, names its base, and holds no weight of it."""
    model = tuned("lora")
    run = open_run(books, "agent", "t" * 64, {})
    wanted = Registration("agent", ref_to(model), "t" * 64, run.run_id, {}, EXAMPLE)
    assert register(books, wanted) == 1
    ref = read_ref(model)
    assert ref is not None
    assert version_info(books, "agent", 1).tags[BASE_TAG] == ref.digest
    pins = (package_folder(books, "agent", 1) / "requirements.txt").read_text()
    assert "peft==" in pins
    stored = model_folder(books, "agent", 1)
    sizes = [path.stat().st_size for path in (stored / WEIGHTS, books.bases / ref.digest / WEIGHTS)]
    assert sizes[0] < sizes[1] / 10
    expected = Predictor.load(model).predict(EXAMPLE)
    shutil.rmtree(ref.id)
    assert Predictor.load(stored).predict(EXAMPLE).equals(expected)
