"""On which architectures each way runs; the pairs that do not are refused by name."""

import sys
from collections.abc import Callable

import pytest
import torch
from torch import nn
from transformers import (
    BertConfig,
    BertModel,
    DistilBertConfig,
    DistilBertModel,
    LlamaConfig,
    LlamaForCausalLM,
    ModernBertConfig,
    ModernBertModel,
    PreTrainedModel,
    RobertaConfig,
    RobertaModel,
    T5Config,
    T5ForConditionalGeneration,
)

from models.errors import ConfigError
from models.pretrained import quiet
from models.schemas import AgentConfig
from models.tuning import METHODS
from models.tuning.stored import own_parameters
from models.tuning.tune import check_fit, tuned

MakeConfig = Callable[..., AgentConfig]
SHAPE = {"vocab_size": 99, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
SIZES = {**SHAPE, "intermediate_size": 32, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
T5 = {"vocab_size": 99, "d_model": 16, "d_kv": 4, "num_heads": 2, "d_ff": 32, "num_layers": 2}
FAMILIES: dict[str, Callable[[], PreTrainedModel]] = {
    "bert": lambda: BertModel(BertConfig(**SIZES), add_pooling_layer=False),
    "roberta": lambda: RobertaModel(RobertaConfig(**SIZES), add_pooling_layer=False),
    "distilbert": lambda: DistilBertModel(
        DistilBertConfig(vocab_size=99, dim=16, n_layers=2, n_heads=2, hidden_dim=32)
    ),
    "modernbert": lambda: ModernBertModel(
        ModernBertConfig(**SIZES, cls_token_id=1, sep_token_id=2, attn_implementation="eager")
    ),
    "t5": lambda: T5ForConditionalGeneration(T5Config(**T5, decoder_start_token_id=0)),
    "llama": lambda: LlamaForCausalLM(LlamaConfig(**SIZES, num_key_value_heads=1)),
}
REFUSED = {
    ("bitfit", "modernbert"): "it has no biases",
    ("bitfit", "t5"): "it has no biases",
    ("bitfit", "llama"): "it has no biases",
    ("ia3", "modernbert"): "no layers for keys and values apart",
    ("prompt", "llama"): "drops the places of padded sub-words",
    ("prefix", "distilbert"): "its forward takes no past_key_values",
    ("prefix", "modernbert"): "its forward takes no past_key_values",
}
PAIRS = [(way, family) for way in METHODS for family in FAMILIES]
IDS = torch.tensor([[5, 6, 7, 8], [0, 5, 6, 7]])
MASK = (IDS > 0).long()


def tiny(family: str) -> PreTrainedModel:
    """Make a tiny model of a family, the same each time."""
    with quiet(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return FAMILIES[family]().eval()


def answers(model: nn.Module) -> torch.Tensor:
    """Give hidden states or scores of words."""
    more = {"decoder_input_ids": IDS} if isinstance(model.config, T5Config) else {}
    output = model(input_ids=IDS, attention_mask=MASK, **more)
    found: torch.Tensor = output["logits" if "logits" in output else "last_hidden_state"]
    return found


@pytest.mark.parametrize(("way", "family"), [pair for pair in PAIRS if pair not in REFUSED])
def test_what_is_not_refused_runs(way: str, family: str, make_config: MakeConfig):
    """Each of the pair's own parameters gets a gradient, and what they change is what the model answers."""
    pretrained, config = tiny(family), make_config(tuning=way)
    before = answers(pretrained).detach()
    check_fit(pretrained, config)
    model = tuned(pretrained, config)
    own = own_parameters(model)
    begun = answers(model)
    assert begun.shape == before.shape
    if METHODS[way](config).neutral:
        torch.testing.assert_close(begun, before, rtol=0, atol=2e-6)
    with torch.no_grad():
        for parameter in own.values():
            parameter.add_(torch.randn(parameter.shape), alpha=0.1)
    moved = answers(model)
    assert not torch.allclose(moved, before, atol=1e-4)
    (moved * torch.randn(moved.shape)).sum().backward()
    still = [name for name, parameter in own.items() if parameter.grad is None or not parameter.grad.any()]
    assert all(name.endswith(("key.bias", "k_lin.bias")) for name in still)  # softmax takes no note of them


@pytest.mark.parametrize(("way", "family"), REFUSED)
def test_what_does_not_run_is_refused_by_name(way: str, family: str, make_config: MakeConfig):
    """The message names way, model and reason, and the ways that would do."""
    model, config = tiny(family), make_config(tuning=way)
    with pytest.raises(ConfigError, match=REFUSED[way, family]) as refused:
        check_fit(model, config)
    told = str(refused.value)
    assert told.startswith(f"tuning: {way} does not run on {config.encoder} ({type(model).__name__})")
    fitting = [other for other in METHODS if (other, family) not in REFUSED]
    assert told.endswith(f"Choose tuning: {', '.join(['full', *fitting])}.")


@pytest.mark.parametrize(
    ("way", "family"), [pair for pair in PAIRS if pair[1] in ("t5", "llama") and pair not in REFUSED]
)
def test_a_tuned_model_writes(way: str, family: str, make_config: MakeConfig):
    """What generates goes on generating, and as its base does where the way begins at the base."""
    pretrained, config = tiny(family), make_config(tuning=way)
    settings = {"max_new_tokens": 4, "do_sample": False, "pad_token_id": 0}
    expected = pretrained.generate(input_ids=IDS, attention_mask=MASK, **settings)
    written = tuned(pretrained, config).generate(input_ids=IDS, attention_mask=MASK, **settings)
    if METHODS[way](config).neutral:
        assert torch.equal(written, expected)
    assert len(written) == len(IDS)


def test_too_many_learned_sub_words_are_refused(make_config: MakeConfig):
    """What stands in front of a window must fit in beside it."""
    with pytest.raises(ConfigError, match="reads 512 sub-words, and max_length 16 leaves no 500"):
        check_fit(tiny("bert"), make_config(tuning="prompt", tuning_tokens=500))


def test_the_library_is_asked_for_by_name(make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch):
    """Where peft is missing the error says how to get it; BitFit and bottleneck do without."""
    monkeypatch.setitem(sys.modules, "peft", None)
    for way in ("bitfit", "bottleneck"):
        tuned(tiny("bert"), make_config(tuning=way))
    for way in METHODS.keys() - {"bitfit", "bottleneck"}:
        with pytest.raises(ConfigError, match=r"pip install 'quickstudy\[peft\]'"):
            tuned(tiny("bert"), make_config(tuning=way))
