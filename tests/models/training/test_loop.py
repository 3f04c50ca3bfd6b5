from collections.abc import Callable
from pathlib import Path

import pytest

from models.task_model import load
from models.training import loop
from models.training.job import TrainJob
from models.training.loop import fine_tune

MakeJob = Callable[..., TrainJob]


def weights(job: TrainJob) -> bytes:
    """Read the stored weights, byte for byte."""
    return (job.folder / "model" / "model.safetensors").read_bytes()


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


@pytest.mark.parametrize("freeze", ["none", "gradual"])
@pytest.mark.parametrize("stop_after", [3, 4, 7])
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
