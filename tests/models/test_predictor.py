from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from torch import Tensor

from models import predictor as predictor_module
from models.adapters import get_adapter
from models.errors import ArtifactError, DataError, TrainingError
from models.networks import EncoderNetwork
from models.predictor import Predictor, predict_windows
from models.schemas import AgentConfig
from models.task_model import build, save

MakeConfig = Callable[..., AgentConfig]
TEXTS = ["a good film", "dull", "so " * 40, "", "New York, New York"]


@pytest.fixture(scope="module")
def text(make_config: MakeConfig, tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    """Load a stored agent that classifies texts."""
    return _stored(make_config("text_classification"), tmp_path_factory.mktemp("text"))


@pytest.fixture(scope="module")
def tags(make_config: MakeConfig, tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    """Load a stored agent that tags words."""
    return _stored(make_config("token_classification"), tmp_path_factory.mktemp("tags"))


def _stored(config: AgentConfig, folder: Path) -> Predictor:
    model, tokenizer = build(config)
    # A head as it starts says nearly the same of everything; a louder one makes answers differ.
    torch.nn.init.normal_(model.head.weight, generator=torch.Generator().manual_seed(1))
    save(folder, model, tokenizer, config)
    return Predictor.load(folder)


def _like(first: pa.Table, second: pa.Table) -> bool:
    plain = [name for name in first.column_names if "confidence" not in name and name != "probabilities"]
    same = first.select(plain).equals(second.select(plain))
    return same and np.allclose(first["confidence"].to_numpy(), second["confidence"].to_numpy(), atol=1e-5)


def test_a_table_and_a_list_give_the_same(text: Predictor):
    """Texts may come as a list, or as a table whose other columns do not matter."""
    table = pa.table({"other": range(len(TEXTS)), "text": TEXTS})
    assert text.predict(table).equals(text.predict(TEXTS))


def test_answers_do_not_depend_on_the_batch(text: Predictor, monkeypatch: pytest.MonkeyPatch):
    """A row is answered alike alone, among others, and in blocks of two."""
    together = text.predict(TEXTS)
    alone = pa.concat_tables([text.predict([one]) for one in TEXTS])
    monkeypatch.setattr(predictor_module, "_ROWS_AT_ONCE", 2)
    assert _like(together, alone)
    assert _like(together, text.predict(TEXTS))
    assert len(set(together["label"].to_pylist())) > 1


def test_words_and_plain_strings_give_the_same(tags: Predictor):
    """For tags a plain string is split at white space."""
    words = [["New", "York", "is", "big"], ["Ada"]]
    plain = tags.predict(["New  York is\tbig", " Ada "])
    assert plain.equals(tags.predict(words))
    assert [len(one) for one in plain["tags"].to_pylist()] == [4, 1]


def test_no_rows_give_an_empty_table(text: Predictor, tags: Predictor):
    """Nothing asked is nothing answered, with the columns there."""
    assert text.predict([]).column_names == ["label", "confidence", "probabilities"]
    assert tags.predict([]).column_names == ["tags", "confidence", "confidences"]
    assert text.predict([]).num_rows == tags.predict([]).num_rows == 0


def test_one_string_is_not_taken_for_rows(text: Predictor):
    """A forgotten list is an error, not an answer a letter."""
    with pytest.raises(DataError, match=r"One string was given \('good'\); give a list of rows"):
        text.predict("good")


@pytest.mark.parametrize("rows", [[["a", "b"]], [1, 2], [b"\xff"], ["\ud800"]])
def test_rows_of_another_type_are_refused(text: Predictor, rows: list[str]):
    """What does not read as text is named, not guessed at."""
    with pytest.raises(DataError, match="do not read as string for 'text'"):
        text.predict(rows)


def test_a_table_without_the_column_is_refused(tags: Predictor):
    """A table has to have the adapter's column."""
    with pytest.raises(DataError, match="columns words; 'tokens' is needed"):
        tags.predict(pa.table({"words": [["a"]]}))


def test_a_folder_without_a_model_is_refused(tmp_path: Path):
    """A predictor is never made of half a model."""
    with pytest.raises(ArtifactError, match="is not a complete model"):
        Predictor.load(tmp_path)


def _windows(predictor: Predictor, rows: list[str]) -> pa.Table:
    config = predictor.agent.config
    return get_adapter(config).encode(pa.table({"text": rows}), predictor.agent.tokenizer).windows


def test_windows_are_scored_in_their_order(text: Predictor):
    """Batches go by length, results come in the order of the windows."""
    windows = _windows(text, ["so " * 9, "a", "so " * 5, "b"])
    together = predict_windows(text.agent.model, windows, 0, tokens_per_batch=20)
    alone = [predict_windows(text.agent.model, windows.slice(i, 1), 0, 20)[0] for i in range(4)]
    assert np.allclose(together, alone, atol=1e-5)
    assert together[0].dtype == np.float32


def test_unpooled_logits_have_the_windows_length(tags: Predictor):
    """Padding is cut off again: one score vector a sub-word."""
    rows = pa.table({"tokens": [["a"], ["so"] * 9]})
    windows = tags.adapter.encode(rows, tags.agent.tokenizer).windows
    logits = predict_windows(tags.agent.model, windows, 0, tokens_per_batch=100)
    assert [one.shape for one in logits] == [(3, 5), (11, 5)]


@contextmanager
def _watched(model: EncoderNetwork) -> Iterator[list[tuple[torch.Size, bool]]]:
    """Note what a model is called with: the batch's shape, and whether it has a mask."""
    batches: list[tuple[torch.Size, bool]] = []

    def note(module: torch.nn.Module, _: tuple[Tensor, ...], inputs: dict[str, Tensor]) -> None:
        assert not module.training
        batches.append((inputs["input_ids"].shape, "attention_mask" in inputs))

    hook = model.register_forward_pre_hook(note, with_kwargs=True)
    yield batches
    hook.remove()


def test_batches_keep_the_budget_and_mask_only_padding(text: Predictor):
    """A batch over the budget is one window, and there is a mask only where something is padded."""
    windows = _windows(text, ["so " * 9, "a", "b", "c", "so so"])
    with _watched(text.agent.model) as batches:
        predict_windows(text.agent.model, windows, 0, tokens_per_batch=10)
    assert batches == [((1, 11), False), ((2, 4), True), ((2, 3), False)]


@pytest.mark.parametrize(("parts", "limit"), [(1, 4096), (4, 1024)])
def test_scoring_needs_no_large_batches(text: Predictor, parts: int, limit: int):
    """Whatever training's budget is, a scored batch has 4,096 sub-words at most, or a part of them."""
    windows = _windows(text, ["so " * 9] * 500)
    with _watched(text.agent.model) as batches:
        predict_windows(text.agent.model, windows, 0, 1_000_000, parts)
    assert limit - 11 < max(shape.numel() for shape, _ in batches) <= limit


def test_scores_that_are_no_numbers_are_refused(make_config: MakeConfig):
    """A diverged model gives an error, not the first label for everything."""
    model, tokenizer = build(make_config())
    torch.nn.init.constant_(model.head.bias, float("nan"))
    windows = get_adapter(make_config()).encode(pa.table({"text": ["a"]}), tokenizer).windows
    with pytest.raises(TrainingError, match="not finite: its training diverged"):
        predict_windows(model, windows, 0, 100)


def test_the_models_mode_is_put_back(text: Predictor):
    """Validation between training steps leaves a model in training mode."""
    model = text.agent.model.train()
    first = predict_windows(model, _windows(text, ["a good film"]), 0, 100)
    again = predict_windows(model, _windows(text, ["a good film"]), 0, 100)
    assert model.training
    assert np.array_equal(first, again)
    model.eval()
