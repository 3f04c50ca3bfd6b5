"""The loop with objectives that go through a batch more than once."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from models.task_model import build, load
from models.training import loop
from models.training.job import TrainJob
from models.training.loop import fine_tune

MakeJob = Callable[..., TrainJob]


def weights(job: TrainJob) -> dict[str, torch.Tensor]:
    """Read the stored weights."""
    return load(job.folder / "model").model.state_dict()


@pytest.mark.parametrize("objective", ["freelb", "mixup"])
def test_a_cut_off_training_resumes_to_the_same_weights(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch, objective: str
):
    """Random perturbations, masks and mixtures go on where they were, and the start is not forgotten."""
    changes = {
        "epochs": 1,
        "checkpoint_steps": 3,
        "objective": objective,
        "start_decay": 20.0,
        "dropout": 0.2,
    }
    whole, cut = make_job(out="whole", **changes), make_job(out="cut", **changes)
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
    assert fine_tune(cut).resumed_from == 3
    expected = weights(whole)
    assert all(torch.equal(value, expected[name]) for name, value in weights(cut).items())


def test_the_start_holds_what_it_is_told_to(make_job: MakeJob):
    """With rate * decay = 1 the encoder ends where it began, rows that no text reaches included."""
    job = make_job(start_decay=1000.0, learning_rate=1e-3, warmup_share=0.0, weight_decay=0.5, epochs=1)
    before = build(job.config)[0].pretrained.state_dict()
    free = make_job(out="free", learning_rate=1e-3, warmup_share=0.0, weight_decay=0.5, epochs=1)
    apart = []
    for one in (job, free):
        report = fine_tune(one)
        after = load(Path(report.model.address)).model.pretrained.state_dict()
        apart.append(sum(float((after[name] - value).square().sum()) for name, value in before.items()))
    assert apart[0] < 0.1 * apart[1]


def test_dropout_is_set_where_the_description_says(make_job: MakeJob):
    """Every layer that drops takes the description's share."""
    job = make_job(dropout=0.3)
    job.folder.mkdir()
    network = loop._Training(job).state.model
    assert {m.p for m in network.modules() if isinstance(m, torch.nn.Dropout)} == {0.3}
