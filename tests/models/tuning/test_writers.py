"""Tuned models that write: learned from, stored and asked as those that only read."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from models.adapters.base import IGNORED
from models.errors import ConfigError
from models.networks import CausalNetwork, Network, Seq2SeqNetwork
from models.schemas import AgentConfig
from models.schemas.families import Family
from models.task_model import build, load, save
from models.tuning import METHODS
from models.tuning.stored import own_parameters
from models.tuning.tune import tune

MakeConfig = Callable[..., AgentConfig]
IDS = torch.tensor([[4, 5, 6, 1], [0, 0, 7, 1]])
MASK = torch.tensor([[1, 1, 1, 1], [0, 0, 1, 1]])
LABELS = {
    "seq2seq": torch.tensor([[9, 10, 11, 1], [12, 1, IGNORED, IGNORED]]),
    "causal": torch.tensor([[IGNORED, 5, 6, 1], [IGNORED, IGNORED, IGNORED, 1]]),
}
REFUSED = {("bitfit", "seq2seq"), ("bitfit", "causal"), ("prompt", "causal")}
PAIRS = [(way, family) for way in METHODS for family in LABELS if (way, family) not in REFUSED]


def network_of(family: Family, config: AgentConfig) -> Network:
    """Build a tiny network that writes."""
    kinds: dict[Family, type[Network]] = {"seq2seq": Seq2SeqNetwork, "causal": CausalNetwork}
    return kinds[family].build(config, None)  # type: ignore[arg-type]  # these read no shape


@pytest.mark.parametrize(("way", "family"), PAIRS)
def test_what_writes_is_tuned(
    way: str, family: Family, make_config: MakeConfig, tiny_models: dict[Family, Path]
):
    """Its own parameters get gradients by the true answers, and it writes in batches as alone."""
    config = make_config("translation", tuning=way, tuning_tokens=5 if way in ("prefix", "prompt") else None)
    config = config.model_copy(update={"encoder": str(tiny_models[family])})
    network = network_of(family, config)
    tune(network, config)
    own = own_parameters(network)
    with torch.no_grad():
        for parameter in own.values():
            parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(0)))
    labels = LABELS[family]
    scores = network(IDS, MASK, labels)
    wanted = labels[labels != IGNORED]
    assert len(scores) == len(wanted)
    torch.nn.functional.cross_entropy(scores, wanted).backward()
    assert all(parameter.grad is not None for parameter in own.values())
    network.eval()
    with torch.inference_mode():
        both = network.answers({"input_ids": IDS, "attention_mask": MASK}, MASK.sum(1).numpy())
        alone = network.answers({"input_ids": IDS[1:, 2:]}, MASK[1:].sum(1).numpy())
    assert both[1][0].tolist() == alone[0][0].tolist()


@pytest.mark.parametrize("way", [way for way in METHODS if (way, "seq2seq") not in REFUSED])
def test_a_stored_writer_comes_back_exactly(way: str, make_config: MakeConfig, tmp_path: Path):
    """The small weights on the base write, and score what they write, as the model in memory does."""
    config = make_config("translation", tuning=way)
    model, tokenizer = build(config)
    with torch.no_grad():
        for parameter in own_parameters(model).values():
            parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(0)))
    save(tmp_path, model, tokenizer, config)
    asked = {"input_ids": IDS[:1]}
    with torch.inference_mode():
        expected, found = (
            one.eval().answers(asked, MASK[:1].sum(1).numpy())[0].tolist()
            for one in (model, load(tmp_path).model)
        )
    assert found == expected


def test_a_pair_that_does_not_run_is_refused_before_training(make_config: MakeConfig):
    """An agent that writes with biases alone is told the ways that would do."""
    with pytest.raises(ConfigError, match=r"it has no biases\. Choose tuning: full, bott"):
        build(make_config("translation", tuning="bitfit"))
