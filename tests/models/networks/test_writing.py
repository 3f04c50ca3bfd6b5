"""The networks that write: their scores against transformers' own loss, and what they write."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

from models.adapters import get_adapter
from models.adapters.base import IGNORED
from models.networks import CausalNetwork, Seq2SeqNetwork
from models.networks.generation import Generation
from models.predictor import Predictor
from models.pretrained import quiet
from models.schemas import AgentConfig
from models.schemas.families import Family
from models.task_model import SavedAgent, build, load, save

MakeConfig = Callable[..., AgentConfig]


def _loss(scores: torch.Tensor, labels: torch.Tensor) -> float:
    return torch.nn.functional.cross_entropy(scores, labels[labels != IGNORED]).item()


def test_a_seq2seq_networks_loss_is_transformers_own(tiny_models: dict[Family, Path]):
    """Selecting the counted sub-words changes nothing, padding on either side neither."""
    with quiet():
        model = AutoModelForSeq2SeqLM.from_pretrained(tiny_models["seq2seq"]).eval()
    ids = torch.tensor([[4, 5, 6, 1], [7, 1, 0, 0]])
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])
    labels = torch.tensor([[9, 10, 11, 1], [12, 1, IGNORED, IGNORED]])
    expected = model(input_ids=ids, attention_mask=mask, labels=labels).loss.item()
    network = Seq2SeqNetwork(model, Generation(4)).eval()
    assert _loss(network(ids, mask, labels), labels) == pytest.approx(expected, abs=1e-6)


def test_a_causal_networks_loss_is_transformers_own(tiny_models: dict[Family, Path]):
    """Windows that are filled up in front have the loss that each has by itself."""
    with quiet():
        model = AutoModelForCausalLM.from_pretrained(tiny_models["causal"]).eval()
    rows = [[3, 4, 5, 6, 1], [3, 7, 1]]
    wanted = [[IGNORED, IGNORED, 5, 6, 1], [IGNORED, 7, 1]]
    alone = [
        model(torch.tensor([r]), labels=torch.tensor([w])).loss.item()
        for r, w in zip(rows, wanted, strict=True)
    ]
    ids = torch.tensor([rows[0], [0, 0, *rows[1]]])
    mask = torch.tensor([[1] * 5, [0, 0, 1, 1, 1]])
    labels = torch.tensor([wanted[0], [IGNORED, IGNORED, *wanted[1]]])
    network = CausalNetwork(model, Generation(4)).eval()
    expected = (3 * alone[0] + 2 * alone[1]) / 5
    assert _loss(network(ids, mask, labels), labels) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("options", [{}, {"beams": 3}, {"temperature": 0.7, "top_p": 0.9}])
def test_a_stored_network_writes_the_same(
    make_config: MakeConfig, tmp_path: Path, options: dict[str, object]
):
    """Greedy, by beams or sampled with the description's seed: what is loaded writes what was stored."""
    config = make_config("translation", max_new_tokens=6, **options)
    model, tokenizer = build(config)
    save(tmp_path, model, tokenizer, config)
    rows = pa.table({"text": ["a good film", "dull", "so so"]})
    first = Predictor(SavedAgent(model.eval(), tokenizer, config), get_adapter(config)).predict(rows)
    assert first.equals(Predictor.load(tmp_path).predict(rows))
    assert all(len(text.split()) <= 6 for text in first["target"].to_pylist())


def test_weights_that_a_checkpoint_does_not_share_stay_apart(make_config: MakeConfig, tmp_path: Path):
    """A T5 whose head is another matrix than its embeddings comes back with both."""
    config = make_config("translation")
    model, tokenizer = build(config)
    own = model.pretrained
    own.lm_head.weight = torch.nn.Parameter(own.shared.weight.detach() + 1)
    save(tmp_path, model, tokenizer, config)
    loaded = load(tmp_path).model.pretrained
    assert torch.equal(loaded.lm_head.weight, own.lm_head.weight)
    assert torch.equal(loaded.shared.weight, own.shared.weight)
    assert torch.equal(loaded.encoder.embed_tokens.weight, own.shared.weight)
    assert torch.equal(loaded.decoder.embed_tokens.weight, own.shared.weight)


def test_writing_ends_in_time(tiny_models: dict[Family, Path]):
    """A limit on time that has passed leaves one sub-word."""
    with quiet():
        model = AutoModelForSeq2SeqLM.from_pretrained(tiny_models["seq2seq"]).eval()
    network = Seq2SeqNetwork(model, Generation(30, seconds=1e-9)).eval()
    written = network.answers({"input_ids": torch.tensor([[4, 5, 1]])}, lengths=[3])[0]
    assert written.shape[1] <= 1


@pytest.mark.parametrize("adapter", ["translation", "dialogue"])
def test_answers_do_not_depend_on_the_batch(make_config: MakeConfig, adapter: str):
    """Texts of mixed lengths are answered in one batch as each is by itself."""
    config = make_config(adapter, max_new_tokens=6)
    model, tokenizer = build(config)
    texts = ["a good film the user says", "dull", "so so ."]
    rows = pa.table({"text": texts} if adapter == "translation" else {"turns": [[text] for text in texts]})
    predictor = Predictor(SavedAgent(model.eval(), tokenizer, config), get_adapter(config))
    together = predictor.predict(rows)
    alone = pa.concat_tables([predictor.predict(rows.slice(i, 1)) for i in range(len(texts))])
    assert together["target"].to_pylist() == alone["target"].to_pylist()
    assert np.allclose(together["confidence"], alone["confidence"], atol=1e-5)


@pytest.mark.parametrize(("beams", "penalty"), [(1, 1.0), (3, 1.0), (3, 2.0)])
def test_the_likelihood_of_an_answer_is_that_of_its_sub_words(
    tiny_models: dict[Family, Path], beams: int, penalty: float
):
    """What is told of each sub-word adds up to what scoring the answer anew gives."""
    with quiet():
        model = AutoModelForSeq2SeqLM.from_pretrained(tiny_models["seq2seq"]).eval()
    model.generation_config.length_penalty = penalty
    network = Seq2SeqNetwork(model, Generation(5, beams=beams)).eval()
    ids = torch.tensor([[4, 5, 1]])
    with torch.inference_mode():
        written = network.answers({"input_ids": ids}, lengths=[3])[0]
        labels = torch.tensor(written[:1]).long()
        expected = -_loss(network(ids, None, labels), labels)
    assert written[1].mean() == pytest.approx(expected, abs=1e-5)


def test_special_tokens_in_texts_are_plain_text(make_config: MakeConfig):
    """An end that stands in a text ends nothing, whether it is read or written."""
    config = make_config("translation")
    _, tokenizer = build(config)
    rows = pa.table({"text": ["good </s> film"], "target": ["ein </s> Film"]})
    windows = get_adapter(config).encode(rows, tokenizer).windows
    ends = [
        ids.count(tokenizer.eos_token_id)
        for ids in (windows["input_ids"][0].as_py(), windows["labels"][0].as_py())
    ]
    assert ends == [1, 1]
