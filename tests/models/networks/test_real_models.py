"""Models that people really have, stored and loaded again."""

from pathlib import Path

import pytest
import torch

from models.predictor import Predictor
from models.schemas import AgentConfig, SourceConfig
from models.task_model import build, save

pytestmark = pytest.mark.data


@pytest.fixture
def translator(model_folder: Path) -> AgentConfig:
    """Describe an agent on flan-t5, whose head is another matrix than its embeddings."""
    return AgentConfig(
        name="translator",
        adapter="translation",
        encoder=str(model_folder / "flan-t5"),
        instruction="translate English to German: ",
        max_new_tokens=12,
        sources=(SourceConfig(address="rows.csv"),),
    )


def test_a_real_seq2seq_model_translates_and_comes_back_whole(translator: AgentConfig, tmp_path: Path):
    """Every weight and every answer is the same after loading."""
    model, tokenizer = build(translator)
    save(tmp_path, model, tokenizer, translator)
    loaded = Predictor.load(tmp_path)
    stored = dict(model.named_parameters())
    assert all(torch.equal(one, stored[name]) for name, one in loaded.agent.model.named_parameters())
    answer = loaded.predict(["The house is wonderful."])["target"][0].as_py()
    assert "Haus" in answer
