"""What every way of tuning must do, on a tiny BERT; and on which other models each of them runs."""

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
import torch
from safetensors.torch import load_file

from models.errors import ArtifactError
from models.networks import Network
from models.predictor import Predictor
from models.schemas import AgentConfig
from models.schemas.tuning_fields import USED_BY
from models.task_model import build, load, save
from models.training import loop
from models.training.job import CHECKPOINTS, TrainJob
from models.training.loop import fine_tune
from models.tuning import METHODS
from models.tuning.bases import weights_digest
from models.tuning.stored import own_parameters
from models.tuning.tune import merge

MakeConfig = Callable[..., AgentConfig]
MakeJob = Callable[..., TrainJob]
IDS = torch.tensor([[101, 2204, 2143, 102], [101, 3376, 102, 0]])
MASK = torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]])
NEUTRAL = [name for name in METHODS if name not in ("prefix", "prompt")]
FAST = {"learning_rate": 2e-2, "head_learning_rate": 1e-2}


def scores(model: Network, ids: torch.Tensor = IDS, mask: torch.Tensor | None = MASK) -> torch.Tensor:
    """Score two windows, one of them padded."""
    with torch.inference_mode():
        found: torch.Tensor = model.eval()(ids, mask)
    return found


@pytest.fixture(params=METHODS)
def way(request: pytest.FixtureRequest) -> str:
    """Name each way in turn."""
    return str(request.param)


@pytest.fixture
def moved(way: str, make_config: MakeConfig) -> tuple[Network, AgentConfig]:
    """Give a tuned model all of whose own parameters have moved, as if trained."""
    config = make_config(tuning=way)
    model, _ = build(config)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in own_parameters(model).values():
            parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=0.1)
    return model, config


def test_every_way_has_a_name_in_the_description(way: str, make_config: MakeConfig):
    """A description can name it, and no setting is known for a way that is not."""
    assert make_config(tuning=way).tuning == way
    assert {name for ways in USED_BY.values() for name in ways} <= METHODS.keys()


@pytest.mark.parametrize("way", NEUTRAL)
def test_training_begins_at_the_bases_scores(way: str, make_config: MakeConfig):
    """Until it is trained, a tuned model scores as one that is trained whole."""
    tuned, whole = build(make_config(tuning=way))[0], build(make_config())[0]
    torch.testing.assert_close(scores(tuned), scores(whole), rtol=0, atol=1e-6 if way == "dora" else 0)


def test_only_its_own_share_trains(way: str, make_job: MakeJob):
    """Training moves each parameter that is its own, and leaves the base bit for bit."""
    job = make_job(tuning=way, epochs=3, patience=3, **FAST)
    before = build(job.config)[0]
    report = fine_tune(job)
    after = load(Path(report.model.address)).model
    own = own_parameters(after).keys()
    start, end = dict(before.named_parameters()), dict(after.named_parameters())
    changed = {name for name in end if not torch.equal(start[name], end[name])}
    assert changed <= own
    assert {"head.weight", "head.bias"} < changed
    assert 0 < report.trained_share < 0.5


def test_the_own_share_is_learned_from(way: str, make_job: MakeJob):
    """What the words tell is learned although the base stands still."""
    report = fine_tune(make_job(tuning=way, epochs=6, patience=6, **FAST))
    assert report.best_score > 0.8


def test_padding_does_not_change_scores(moved: tuple[Network, AgentConfig]):
    """A window scores the same alone, with a mask of ones, and padded in a batch."""
    model, _ = moved
    alone = scores(model, IDS[1:, :3], None)
    torch.testing.assert_close(scores(model)[1:], alone, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(scores(model, IDS[1:, :3], MASK[1:, :3]), alone, rtol=1e-5, atol=1e-5)


def test_sub_words_keep_their_places(way: str, make_config: MakeConfig):
    """Tags are scored for each sub-word that was read, and for no learned one."""
    assert scores(build(make_config("token_classification", tuning=way))[0]).shape == (2, 4, 5)


def test_a_stored_model_comes_back_exactly(
    moved: tuple[Network, AgentConfig], make_config: MakeConfig, tmp_path: Path
):
    """The small weights on the base score to the bit what the model in memory does."""
    model, config = moved
    save(tmp_path / "model", model, build(config)[1], config)
    again = load(tmp_path / "model").model
    assert torch.equal(scores(again), scores(model))
    assert load_file(tmp_path / "model" / "model.safetensors").keys() == own_parameters(model).keys()
    assert json.loads((tmp_path / "model" / "base.json").read_text())["digest"] == weights_digest(
        build(make_config())[0].pretrained
    )


def test_a_resumed_training_ends_with_the_same_weights(
    way: str, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
):
    """A training cut off after a checkpoint, which holds its own share alone, ends as one that was not."""
    whole, cut = (make_job(tuning=way, out=out, checkpoint_steps=3, **FAST) for out in ("whole", "cut"))
    fine_tune(whole)
    step, steps = loop._Training._step, iter(range(4))

    def dying_step(*args: object) -> None:
        if next(steps, None) is None:
            raise KeyboardInterrupt
        step(*args)  # type: ignore[arg-type]  # passed through

    monkeypatch.setattr(loop._Training, "_step", dying_step)
    with pytest.raises(KeyboardInterrupt):
        fine_tune(cut)
    monkeypatch.undo()
    (kept,) = (cut.folder / CHECKPOINTS).glob("step-*/model.safetensors")
    assert load_file(kept).keys() == own_parameters(build(cut.config)[0]).keys()
    assert fine_tune(cut).resumed_from == 3
    stored = [(job.folder / "model" / "model.safetensors").read_bytes() for job in (whole, cut)]
    assert stored[0] == stored[1]


@pytest.mark.parametrize("way", USED_BY["merge_weights"])
def test_a_merged_model_scores_alike(moved: tuple[Network, AgentConfig], tmp_path: Path):
    """Merged, it is stored whole like any other model and scores the same up to rounding."""
    model, config = moved
    expected = scores(model)
    merge(model, config)
    save(tmp_path, model, build(config)[1], config)
    assert not (tmp_path / "base.json").exists()
    again = load(tmp_path).model
    torch.testing.assert_close(scores(again), expected, rtol=1e-5, atol=1e-5)
    assert not any("lora" in name or "ia3" in name for name in again.state_dict())


def test_merging_is_asked_for_in_the_description(make_job: MakeJob):
    """With merge_weights a training stores a whole model, and its predictions are those of the unmerged."""
    folders = [
        Path(fine_tune(make_job(tuning="lora", out=str(merged), merge_weights=merged, **FAST)).model.address)
        for merged in (False, True)
    ]
    assert [(folder / "base.json").exists() for folder in folders] == [True, False]
    rows = pa.table({"text": ["great fine film", "awful paper"]})
    small, whole = (Predictor.load(folder).predict(rows) for folder in folders)
    assert small["label"].equals(whole["label"])


def test_the_same_seed_gives_the_same_model(way: str, make_config: MakeConfig):
    """New parameters come from the agent's seed, and no global one moves."""
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = build(make_config(tuning=way, seed=3))[0]
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    second = build(make_config(tuning=way, seed=3))[0]
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_other_weights_than_the_ways_own_are_refused(
    moved: tuple[Network, AgentConfig], make_config: MakeConfig, tmp_path: Path
):
    """A stored file that holds what another way trained is named."""
    model, config = moved
    save(tmp_path, model, build(config)[1], config)
    other = "ia3" if config.tuning != "ia3" else "bitfit"
    config = config.model_copy(update={"tuning": other, "tuning_rank": None, "tuning_tokens": None})
    (tmp_path / "agent.json").write_text(config.model_dump_json())
    with pytest.raises(ArtifactError, match=f"is not what tuning: {other} trains"):
        load(tmp_path)
