from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
import torch

from models.errors import DataError, TrainingError
from models.task_model import build, load, save
from models.training import loop
from models.training.files import folder_ref
from models.training.job import TrainJob, read_progress
from models.training.loop import fine_tune

MakeJob = Callable[..., TrainJob]
MakeRows = Callable[..., pa.Table]


def weights(job: TrainJob) -> bytes:
    """Read the stored weights, byte for byte."""
    return (job.folder / "model" / "model.safetensors").read_bytes()


def tagged_rows() -> pa.Table:
    """Make short sentences with places and persons in them."""
    tokens = [["in", "paris", "met", "anna"], ["rome", "is", "far"]] * 30
    tags = [["O", "B-loc", "O", "B-per"], ["B-loc", "O", "O"]] * 30
    return pa.table({"tokens": tokens, "tags": tags, "split": ["train"] * 40 + ["validation"] * 20})


def test_learns_what_the_words_tell(make_job: MakeJob):
    """A text whose words give the label away is learned within a few epochs."""
    report = fine_tune(make_job(epochs=6, patience=6, learning_rate=5e-3, head_learning_rate=1e-2))
    assert report.best_score > 0.9
    assert report.curve[-1].train_loss < report.curve[0].train_loss
    assert load(Path(report.model.address)).config.name == "agent"


def test_same_seed_gives_same_weights(make_job: MakeJob):
    """Two trainings with one seed give the same bytes, and another seed gives others."""
    jobs = [make_job(out="a", seed=1), make_job(out="b", seed=1), make_job(out="c", seed=2)]
    for job in jobs:
        fine_tune(job)
    assert weights(jobs[0]) == weights(jobs[1]) != weights(jobs[2])


@pytest.mark.parametrize(("freeze", "stop_after"), [("none", 4), ("gradual", 3), ("gradual", 7)])
def test_resumes_to_the_same_weights(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch, freeze: str, stop_after: int
):
    """A training cut off after a checkpoint and run again ends with the weights of one that was not."""
    whole = make_job(out="whole", checkpoint_steps=3, freeze=freeze)
    expected = fine_tune(whole)
    cut = make_job(out="cut", checkpoint_steps=3, freeze=freeze)
    step = loop._Training._step
    steps = iter(range(stop_after))

    def dying_step(*args: object) -> None:
        if next(steps, None) is None:
            raise KeyboardInterrupt
        step(*args)  # type: ignore[arg-type]  # passed through

    monkeypatch.setattr(loop._Training, "_step", dying_step)
    with pytest.raises(KeyboardInterrupt):
        fine_tune(cut)
    monkeypatch.undo()
    report = fine_tune(cut)
    assert report.resumed_from == stop_after - stop_after % 3
    assert weights(cut) == weights(whole)
    assert [p.model_dump(exclude={"seconds"}) for p in report.curve] == [
        p.model_dump(exclude={"seconds"}) for p in expected.curve
    ]


def test_a_frozen_encoder_stays_bit_for_bit(make_job: MakeJob):
    """Under `freeze: encoder` only the head changes, and no decay touches the rest."""
    job = make_job(freeze="encoder", weight_decay=0.5)
    before = build(job.config)[0].state_dict()
    report = fine_tune(job)
    after = load(Path(report.model.address)).model.state_dict()
    changed = {name for name, value in after.items() if not torch.equal(value, before[name])}
    assert changed == {"head.weight", "head.bias"}


def test_training_goes_on_from_a_stored_model(make_job: MakeJob):
    """A job with a start begins with that model's weights."""
    first = fine_tune(
        make_job(out="first", epochs=6, patience=6, learning_rate=5e-3, head_learning_rate=1e-2)
    )
    again = make_job(out="again", epochs=1, learning_rate=1e-6, head_learning_rate=1e-6)
    report = fine_tune(again.model_copy(update={"start": first.model}))
    assert report.best_score == pytest.approx(first.best_score, abs=0.06)


def test_tags_are_learned_too(make_job: MakeJob):
    """Token classification trains by the same loop."""
    job = make_job(tagged_rows(), adapter="token_classification", epochs=15, patience=15, learning_rate=5e-3)
    assert fine_tune(job).best_score > 0.9


def test_training_stops_when_validation_no_longer_improves(make_job: MakeJob):
    """After `patience` evaluations without a better score training ends and the best weights stay."""
    job = make_job(epochs=50, patience=2, learning_rate=1e-9, head_learning_rate=1e-9)
    report = fine_tune(job)
    assert (report.stopped, report.epochs, len(report.curve)) == ("early", 3.0, 3)
    assert report.best_step == report.curve[0].step


def test_progress_can_be_read(make_job: MakeJob):
    """The heartbeat ends at the last step, and every evaluation is a line."""
    job = make_job()
    report = fine_tune(job)
    progress = read_progress(job.folder)
    assert progress is not None
    assert progress.heartbeat.step == report.steps
    assert progress.curve == report.curve
    assert set(report.seconds_by_part) >= {"forward", "backward", "optimizer", "loading", "validation"}


def test_a_loss_that_is_no_number_ends_training(make_job: MakeJob, tmp_path: Path):
    """A model whose scores are no numbers is an error that names the step and what to do."""
    job = make_job()
    model, tokenizer = build(job.config)
    torch.nn.init.constant_(model.head.weight, float("nan"))
    save(tmp_path / "broken", model, tokenizer, job.config)
    with pytest.raises(TrainingError, match=r"loss is nan at step 1; .*Lower learning_rate"):
        fine_tune(job.model_copy(update={"start": folder_ref(tmp_path / "broken")}))


@pytest.mark.parametrize("split", ["train", "validation"])
def test_an_empty_split_is_refused(make_job: MakeJob, text_rows: MakeRows, split: str):
    """Training needs rows to train on and rows to select by."""
    other = {"train": "validation", "validation": "train"}[split]
    rows = text_rows(30).drop_columns("split").append_column("split", [[other] * 30])
    with pytest.raises(DataError, match=f"The {split} split has 0 usable rows"):
        fine_tune(make_job(rows))


def test_a_class_without_a_row_is_refused(make_job: MakeJob, text_rows: MakeRows):
    """A label that no training row shows is named."""
    with pytest.raises(DataError, match="'pos' of the agent's labels has 0 training rows"):
        fine_tune(make_job(text_rows(30, labels=("neg", "neu"))))


def test_a_longer_time_limit_is_the_same_job(make_job: MakeJob):
    """What does not shape the weights does not throw checkpoints away; the rate does."""
    job = make_job()
    longer = job.config.model_copy(update={"time_limit_seconds": 1e6})
    faster = job.config.model_copy(update={"learning_rate": 0.5})
    assert job.digest == job.model_copy(update={"config": longer}).digest
    assert job.digest != job.model_copy(update={"config": faster}).digest


def test_global_random_numbers_are_left_alone(make_job: MakeJob):
    """Training seeds its own random numbers and gives the caller's back."""
    state = torch.get_rng_state()
    fine_tune(make_job(epochs=1))
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("adapter", ["text_classification", "token_classification"])
def test_a_batch_in_parts_has_the_whole_ones_gradients(make_job: MakeJob, adapter: str):
    """Without dropout, what goes through the model in parts gives AdamW the same gradients and loss."""
    rows = tagged_rows() if adapter == "token_classification" else None
    gradients, losses = [], []
    for parts in (1, 3):
        job = make_job(rows, adapter=adapter, out=f"in-{parts}")
        job.folder.mkdir()
        training = loop._Training(job.model_copy(update={"parts": parts}))
        training.state.model.eval()
        batch, _ = next(training._batches(0))
        assert len(batch) == parts
        training._step(batch, 1.0)
        gradients.append([moments["exp_avg"] for moments in training.state.optimizer.state.values()])
        losses.append(training.state.position.loss_sum)
    assert losses[1] == pytest.approx(losses[0], abs=1e-6)
    for whole, in_parts in zip(*gradients, strict=True):
        torch.testing.assert_close(in_parts, whole, rtol=1e-4, atol=1e-7)


def test_validation_shrinks_with_the_parts(make_job: MakeJob):
    """What ran out of memory at one number of parts is scored in smaller batches at the next."""
    job = make_job().model_copy(update={"parts": 4})
    job.folder.mkdir()
    training = loop._Training(job)
    sizes: list[int] = []
    training.state.model.register_forward_pre_hook(
        lambda _, __, inputs: sizes.append(inputs["input_ids"].numel()), with_kwargs=True
    )
    training._evaluate()
    assert max(sizes) <= job.config.tokens_per_batch // job.parts
