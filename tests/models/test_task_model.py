import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from models.encoder import DEFAULT_ENCODER
from models.errors import ArtifactError, ConfigError
from models.networks import mean_pool
from models.schemas import AgentConfig
from models.task_model import agent_tokenizer, build, load, save

MakeConfig = Callable[..., AgentConfig]
IDS = torch.tensor([[101, 2204, 2143, 102], [101, 3376, 102, 0]])
MASK = torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]])


@pytest.fixture(params=["text_classification", "token_classification"])
def config(request: pytest.FixtureRequest, make_config: MakeConfig) -> AgentConfig:
    """Describe an agent of each adapter in turn."""
    return make_config(request.param)


@pytest.fixture
def stored(config: AgentConfig, tmp_path: Path) -> Path:
    """Store a built model and give its folder."""
    model, tokenizer = build(config)
    save(tmp_path / "model", model, tokenizer, config)
    return tmp_path / "model"


def _scores(model: nn.Module) -> torch.Tensor:
    with torch.inference_mode():
        scores: torch.Tensor = model.eval()(IDS, MASK)
    return scores


def test_text_is_pooled_and_words_are_not(make_config: MakeConfig):
    """Text gives one score vector a window, tags one a sub-word: O and two tags a type."""
    assert _scores(build(make_config("text_classification"))[0]).shape == (2, 3)
    assert _scores(build(make_config("token_classification"))[0]).shape == (2, 4, 5)


def test_mean_pooling_leaves_padding_out():
    """The mean is over the positions that the mask keeps, and over all without a mask."""
    hidden = torch.tensor([[[2.0], [4.0], [60.0]]])
    assert mean_pool(hidden, torch.tensor([[1, 1, 0]])).item() == 3
    assert mean_pool(hidden, None).item() == 22


def test_no_mask_is_the_mask_of_ones(config: AgentConfig):
    """Without padding the faster call without a mask gives the same scores."""
    model = build(config)[0].eval()
    with torch.inference_mode():
        torch.testing.assert_close(model(IDS), model(IDS, torch.ones_like(IDS)))


def test_padding_does_not_change_scores(config: AgentConfig):
    """A window scores the same alone and padded in a batch."""
    model = build(config)[0].eval()
    with torch.inference_mode():
        alone, padded = model(IDS[1:, :3]), model(IDS, MASK)[1:]
    torch.testing.assert_close(padded if model.shape.pools else padded[:, :3], alone)


def test_the_head_starts_from_the_configs_seed(make_config: MakeConfig):
    """The same seed gives the same model, another seed another head, and the global seed is unused."""
    torch.manual_seed(1)
    first, before = build(make_config(seed=3))[0], torch.get_rng_state()
    torch.manual_seed(2)
    again, other = build(make_config(seed=3))[0], build(make_config(seed=4))[0]
    torch.manual_seed(1)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first.head.weight, again.head.weight)
    assert not torch.equal(first.head.weight, other.head.weight)


def test_a_stored_model_comes_back_exactly(config: AgentConfig, tmp_path: Path):
    """Weights, scores, tokenizer and description round-trip to the bit."""
    model, tokenizer = build(config)
    tokenizer("leaves truncation set", truncation=True, max_length=4)
    save(tmp_path, model, tokenizer, config)
    again = load(tmp_path)
    assert torch.equal(_scores(again.model), _scores(model))
    assert again.config == config
    text = "New York, unbelievablyness [SEP] \x00 日本"
    assert again.tokenizer(text)["input_ids"] == tokenizer(text)["input_ids"]
    assert not again.model.training


def test_unit_features_are_kept_with_the_model(make_config: MakeConfig, tmp_path: Path):
    """A head on features of length 1 is one when it is loaded again, and another than on plain ones."""
    config = make_config(unit_features=True)
    model, tokenizer = build(config)
    save(tmp_path, model, tokenizer, config)
    plain, _ = build(make_config())
    assert torch.equal(_scores(load(tmp_path).model), _scores(model))
    assert not torch.equal(_scores(plain), _scores(model))


def test_storing_twice_gives_the_same_bytes(stored: Path, tmp_path: Path):
    """A loaded model stores to the same files, so its digest says what it is."""
    agent = load(stored)
    save(tmp_path / "again", agent.model, agent.tokenizer, agent.config)
    files = sorted(p.relative_to(stored) for p in stored.rglob("*") if p.is_file())
    again = sorted(p.relative_to(tmp_path / "again") for p in (tmp_path / "again").rglob("*") if p.is_file())
    assert files == again
    assert all((stored / name).read_bytes() == (tmp_path / "again" / name).read_bytes() for name in files)


def test_calls_leave_no_trace_in_a_stored_tokenizer(make_config: MakeConfig, tmp_path: Path):
    """How a tokenizer was last called does not change the files it is stored in."""
    model, tokenizer = build(make_config())
    save(tmp_path / "before", model, tokenizer, make_config())
    tokenizer(["a", "b c"], truncation=True, max_length=4, padding=True)
    save(tmp_path / "after", model, tokenizer, make_config())
    for name in ("tokenizer.json", "tokenizer_config.json"):
        before, after = (tmp_path / when / "tokenizer" / name for when in ("before", "after"))
        assert before.read_text() == after.read_text()


def test_only_safetensors_and_json_are_stored(stored: Path):
    """No pickle lies in a model folder."""
    assert {p.suffix for p in stored.rglob("*") if p.is_file()} == {".safetensors", ".json"}


def test_a_stored_model_needs_no_encoder(stored: Path):
    """A model loads where the folder that its encoder came from is gone."""
    agent = json.loads((stored / "agent.json").read_text())
    (stored / "agent.json").write_text(json.dumps(agent | {"encoder": "/gone/encoder"}))
    assert load(stored).config.encoder == "/gone/encoder"


def test_loading_moves_no_global_seed(stored: Path):
    """Loading a model leaves torch's random state where it was."""
    before = torch.get_rng_state()
    load(stored)
    assert torch.equal(torch.get_rng_state(), before)


NEEDED = ["model.safetensors", "agent.json", "encoder/config.json", "tokenizer/tokenizer.json"]


@pytest.mark.parametrize("name", NEEDED)
def test_a_missing_file_is_named(stored: Path, name: str):
    """A folder that lacks a file says which one."""
    (stored / name).unlink()
    with pytest.raises(ArtifactError, match=f"is not a complete model: {name} missing of"):
        load(stored)


@pytest.mark.parametrize("name", NEEDED)
@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_torn_file_is_an_artifact_error(stored: Path, name: str, share: float):
    """A file cut short, as by a full disk, ends in one clear paragraph."""
    content = (stored / name).read_bytes()
    (stored / name).write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ArtifactError, match=r"can not be loaded: .*\. Train it again"):
        load(stored)


def test_weights_of_another_head_are_refused(stored: Path):
    """Weights that do not fit the description's labels do not load."""
    weights = load_file(stored / "model.safetensors")
    weights["head.bias"] = torch.zeros(99)
    save_file(weights, stored / "model.safetensors")
    with pytest.raises(ArtifactError, match=r"size mismatch for head\.bias"):
        load(stored)


def test_too_long_windows_are_refused(make_config: MakeConfig):
    """Windows over the encoder's positions fail before anything is trained."""
    with pytest.raises(ConfigError, match="reads at most 64 sub-words"):
        build(make_config(max_length=128))
    with pytest.raises(ConfigError, match="reads at most 64 sub-words"):
        agent_tokenizer(make_config(max_length=128))


def test_the_default_encoder_pools_like_sentence_transformers(make_config: MakeConfig):
    """The mean of MiniLM's sub-words puts sentences of like meaning next to each other."""
    model, tokenizer = build(make_config(encoder=DEFAULT_ENCODER))
    texts = ["The film was wonderful.", "I loved this movie.", "Invoices are due in March."]
    batch = tokenizer(texts, padding=True, return_tensors="pt")
    with torch.inference_mode():
        hidden = model.eval().encoder(batch["input_ids"], batch["attention_mask"]).last_hidden_state
    vectors = nn.functional.normalize(mean_pool(hidden, batch["attention_mask"]), dim=1).numpy()
    like, unlike = np.dot(vectors[0], vectors[1]), np.dot(vectors[0], vectors[2])
    assert like > 0.5
    assert unlike < 0.2


@pytest.mark.data
def test_a_cased_distilbert_is_built_and_stored(model_folder: Path, make_config: MakeConfig, tmp_path: Path):
    """Another architecture with a tokenizer that keeps case round-trips to the bit as well."""
    config = make_config("token_classification", encoder=str(model_folder / "distilbert-cased"))
    model, tokenizer = build(config)
    save(tmp_path, model, tokenizer, config)
    again = load(tmp_path)
    assert torch.equal(_scores(again.model), _scores(model))
    assert again.tokenizer("New York")["input_ids"] == tokenizer("New York")["input_ids"]
    assert tokenizer("New York")["input_ids"] != tokenizer("new york")["input_ids"]
