"""Registering a tiny trained model for real: reload in a fresh process, one version, no pickle."""

import pickle
import pickletools
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import mlflow
import pandas as pd
import pytest
import torch
from transformers import BertConfig, BertModel

from models.encoder import DEFAULT_ENCODER, encoder_folder
from models.errors import RegistryError
from models.frames import predict_frame
from models.predictor import Predictor
from models.schemas import AgentConfig, SourceConfig
from models.task_model import build, save
from tasks.io.books import Books, open_books
from tasks.io.digests import ref_to
from tasks.io.flavours import AGENT
from tasks.io.registry import (
    Registration,
    load_champion,
    model_folder,
    package_folder,
    register,
    verify_artifact,
    version_info,
    versions,
)
from tasks.io.tracking import open_run

pytestmark = [
    pytest.mark.system,
    # MLflow 3.17.2 uses what SQLAlchemy 2.1 deprecates.
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*type hint:UserWarning"),
]
ROOT = Path(__file__).parents[3]
EXAMPLE = ("a fine film", "Robie House, 5757 South Woodlawn Avenue")


def store_model(folder: Path, adapter: str, seed: int = 0) -> Path:
    """Store an agent on a tiny random encoder, as fine-tuning would."""
    bundled = encoder_folder(DEFAULT_ENCODER)
    assert bundled is not None
    encoder = folder.with_name("encoder")
    shape = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        BertModel(BertConfig(**shape), add_pooling_layer=False).save_pretrained(encoder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(bundled / name, encoder / name)
    config = AgentConfig(
        name="agent",
        adapter=adapter,
        labels=("a", "b"),
        sources=(SourceConfig(address="x.csv"),),
        encoder=str(encoder),
        seed=seed,
    )
    model, tokenizer = build(config)
    with torch.no_grad():
        model.head.weight.mul_(50)  # far from chance, so that another seed answers otherwise
    save(folder, model, tokenizer, config)
    return folder


def ask(books: Books, folder: Path, adapter: str = "text_classification") -> Registration:
    """Make the request of a training whose model lies in `folder`."""
    store_model(folder, adapter)
    run = open_run(books, "agent", "t" * 64, {})
    digests = {"data": "d1", "code": "c1", "config": "g1", "lock": "l1"}
    return Registration("agent", ref_to(folder), "t" * 64, run.run_id, digests, EXAMPLE)


@pytest.fixture(scope="module", params=["text_classification", "token_classification"])
def registered(
    request: pytest.FixtureRequest, empty_home: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Books, Registration]:
    """Register a training of each adapter once; the tests only read it."""
    home = tmp_path_factory.mktemp("registered")
    shutil.copyfile(empty_home / "mlflow.db", home / "mlflow.db")
    ledger, artifacts = f"sqlite:///{home / 'quickstudy.db'}", str(home / "mlartifacts")
    books = open_books(f"sqlite:///{home / 'mlflow.db'}", ledger, artifacts, home / "scratch")
    wanted = ask(books, home / "model", request.param)
    assert register(books, wanted) == 1
    return books, wanted


def test_a_training_becomes_one_version(registered: tuple[Books, Registration]):
    """Registering it again gives the version that is there."""
    books, wanted = registered
    assert register(books, wanted) == 1
    assert [info.training for info in versions(books, "agent")] == ["t" * 64]


def test_a_version_loads_through_mlflow(registered: tuple[Books, Registration]):
    """Its answers to a frame and to a list are those of the model in memory."""
    books, wanted = registered
    loaded = mlflow.pyfunc.load_model(str(verify_artifact(books, "agent", 1)))
    expected = predict_frame(Predictor.load(Path(wanted.model.address)), list(EXAMPLE))
    pd.testing.assert_frame_equal(loaded.predict(pd.DataFrame({"text": EXAMPLE})), expected)
    pd.testing.assert_frame_equal(loaded.predict(list(EXAMPLE)), expected)
    verify_artifact(books, "agent", 1)  # loading leaves the stored files as they were


def test_digests_are_tags_of_version_and_run(registered: tuple[Books, Registration]):
    """Data, code, config and lock file are told by both."""
    books, wanted = registered
    tags = version_info(books, "agent", 1).tags
    run_tags = books.client.get_run(wanted.run_id).data.tags
    for name, value in wanted.digests.items():
        assert tags[f"quickstudy.{name}_digest"] == run_tags[f"quickstudy.{name}_digest"] == value


def test_requirements_name_the_stored_wheel(registered: tuple[Books, Registration]):
    """The wheel's path starts at the model's folder, and no path of this machine is stored."""
    folder = package_folder(registered[0], "agent", 1)
    wheel = (folder / "requirements.txt").read_text().splitlines()[0]
    assert wheel.startswith("./wheels/quickstudy-")
    assert (folder / wheel).is_file()
    assert str(ROOT) not in (folder / "MLmodel").read_text()


def test_no_stored_file_is_a_pickle(registered: tuple[Books, Registration]):
    """Neither by name nor by content."""
    files = [path for path in package_folder(registered[0], "agent", 1).rglob("*") if path.is_file()]
    assert len(files) > 5
    assert not [path for path in files if is_pickle(path)]


def test_the_champion_is_loaded_by_its_alias(registered: tuple[Books, Registration]):
    """Without the alias there is none, and the error says what to do."""
    books, _ = registered
    with pytest.raises(RegistryError, match=r"has no champion\. Run `quickstudy train agent`"):
        load_champion(books, "agent")
    books.client.set_registered_model_alias("agent", "champion", "1")
    assert load_champion(books, "agent") == model_folder(books, "agent", 1)


def is_pickle(path: Path) -> bool:
    """Say whether a file is a pickle, by name or because it reads as one to its end."""
    if path.suffix in {".pkl", ".pickle", ".pt", ".pth", ".bin", ".joblib"}:
        return True
    content = path.read_bytes()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of escapes in what is no pickle
            *_, last = pickletools.genops(content)
    except (ValueError, IndexError, UnicodeDecodeError):
        return False
    return last[0].name == "STOP" and last[2] == len(content) - 1


def test_a_pickle_would_be_found(tmp_path: Path):
    """The check itself can fail."""
    (tmp_path / "innocent.json").write_bytes(pickle.dumps({"a": 1}))
    assert is_pickle(tmp_path / "innocent.json")


def test_a_model_that_answers_otherwise_elsewhere_makes_no_version(books: Books, tmp_path: Path):
    """Where the model in memory is not the stored one, registering fails and nothing is left."""
    other = store_model(tmp_path / "other", "text_classification", seed=1)
    flavour = replace(AGENT, answers=lambda _, texts: AGENT.answers(other, texts))
    wanted = replace(ask(books, tmp_path / "model"), flavour=flavour)
    with pytest.raises(RegistryError, match="answers otherwise than the one in memory"):
        register(books, wanted)
    assert versions(books, "agent") == ()
    assert not list(Path(books.artifact_root).rglob("MLmodel"))


KILLED = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
from tasks.io.books import open_books
from tasks.io.registry import Registration, register
from models.schemas import ArtifactRef
uri, ledger, artifacts, scratch, point, address, digest, run = sys.argv[1:]
def fault(here):
    if here == point:
        os.kill(os.getpid(), signal.SIGKILL)
books = replace(open_books(uri, ledger, artifacts, Path(scratch)), fault=fault)
model = ArtifactRef(address=address, digest=digest)
register(books, Registration("agent", model, "t" * 64, run, {}, ("a", "b")))
"""


def test_kills_leave_one_version(books: Books, stopping_at: Callable[[str], Books], tmp_path: Path):
    """A registration cut off at one point after the other ends with one version and one stored model."""
    wanted = ask(books, tmp_path / "model")
    arguments = [books.mlflow_uri, str(books.ledger.url), books.artifact_root, str(books.scratch)]
    arguments += ["artifacts stored", wanted.model.address, wanted.model.digest, wanted.run_id]
    command = [sys.executable, "-c", KILLED, *arguments]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode == -9
    for point in ("logged model ready", "version created"):
        with pytest.raises(Exception, match=point):
            register(stopping_at(point), wanted)
    assert register(books, wanted) == 1
    assert len(versions(books, "agent")) == 1
    stored = books.client.search_logged_models([books.client.get_run(wanted.run_id).info.experiment_id])
    assert [model.status for model in stored] == ["READY"]
    assert len(list(Path(books.artifact_root).rglob("MLmodel"))) == 1
    verify_artifact(books, "agent", 1)
