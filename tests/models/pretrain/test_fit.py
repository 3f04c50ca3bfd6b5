from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from models.encoder import load_encoder
from models.errors import TrainingError
from models.pretrain import fit
from models.pretrain.fit import pretrain
from models.pretrain.job import PretrainJob
from models.pretrain.objectives.masked_words import MaskedWords
from models.pretrain.result import finished_pretraining, read_pretrain_report
from models.pretrain.store import load_pretrained_start, plain_language_model
from models.schemas.pretrain import PretrainReport

MakeJob = Callable[..., PretrainJob]


def _weights(job: PretrainJob) -> dict[str, bytes]:
    """Read all stored weights."""
    return {
        str(p.relative_to(job.folder)): p.read_bytes() for p in job.folder.rglob("start/**/*.safetensors")
    }


def _perplexities(report: PretrainReport) -> list[float]:
    return [float(np.exp((1 - p.validation_score) * np.log(report.vocabulary))) for p in report.curve]


@pytest.mark.parametrize("objective", ["masked_lm", "causal_lm", "span_denoising"])
def test_perplexity_falls_from_scratch(make_job: MakeJob, objective: str):
    """A new model with a tokenizer of its own learns held-out texts by each objective."""
    found = _perplexities(pretrain(make_job(objective=objective, tokenizer="bpe", vocabulary=500, epochs=8)))
    assert min(found) < 0.5 * found[0]


@pytest.mark.parametrize("stop_after", [3, 9, 13])
def test_resumes_to_the_same_weights(make_job: MakeJob, monkeypatch: pytest.MonkeyPatch, stop_after: int):
    """A pretraining cut off anywhere and run again ends with the bytes of one that was not."""
    expected = pretrain(make_job(out="whole", epochs=2))
    cut = make_job(out="cut", epochs=2)
    step, steps = fit._Pretraining._step, iter(range(stop_after))

    def dying_step(*args: Any) -> None:  # noqa: ANN401 - passed through
        if next(steps, None) is None:
            raise KeyboardInterrupt
        step(*args)

    monkeypatch.setattr(fit._Pretraining, "_step", dying_step)
    with pytest.raises(KeyboardInterrupt):
        pretrain(cut)
    monkeypatch.undo()
    report = pretrain(cut)
    assert report.resumed_from == stop_after - stop_after % 7
    assert _weights(cut) == _weights(make_job(out="whole", epochs=2))
    assert [p.model_dump(exclude={"seconds"}) for p in report.curve] == [
        p.model_dump(exclude={"seconds"}) for p in expected.curve
    ]


@pytest.fixture
def old(tiny_encoder: Path) -> dict[str, object]:
    """Give the fields of a start that goes on from a tiny encoder, whose files lack the head."""
    new = dict.fromkeys(("layers", "width", "heads", "vocabulary", "tokenizer"))
    return {**new, "encoder": str(tiny_encoder), "head_steps": 10, "epochs": 1}


def test_a_head_learns_alone_before_the_encoder(make_job: MakeJob, old: dict[str, object]):
    """After its steps the head has changed and the encoder has not; both are what the start is judged by."""
    job = make_job(**old)
    report = pretrain(job)
    start = load_pretrained_start(Path(report.start.address))
    plain = plain_language_model(start)
    assert plain is not None
    assert report.curve[0].step == 10
    before = load_encoder(str(job.config.encoder))[0].state_dict()
    assert all(torch.equal(w, before[n]) for n, w in plain.model.base_model.state_dict().items())
    learned = start.language.model.base_model.state_dict()
    assert not all(torch.equal(w, before[n]) for n, w in learned.items())
    stored = load_file(Path(report.start.address) / "plain.safetensors")
    assert all(torch.equal(w, stored[n]) for n, w in plain.head().items())


@pytest.mark.parametrize("stop_after", [5, 10, 15])
def test_a_head_and_then_the_whole_resume_as_well(
    make_job: MakeJob, old: dict[str, object], monkeypatch: pytest.MonkeyPatch, stop_after: int
):
    """A pretraining cut off in either phase, or between them, ends with the same bytes."""
    changes = {**old, "checkpoint_steps": 5}
    pretrain(make_job(out="whole", **changes))
    cut = make_job(out="cut", **changes)
    checkpoint = fit._Pretraining._checkpoint

    def last_checkpoint(session: Any) -> None:  # noqa: ANN401 - the class is not public
        checkpoint(session)
        if session.state.position.step == stop_after:
            raise KeyboardInterrupt

    monkeypatch.setattr(fit._Pretraining, "_checkpoint", last_checkpoint)
    with pytest.raises(KeyboardInterrupt):
        pretrain(cut)
    monkeypatch.undo()
    assert pretrain(cut).resumed_from == stop_after
    assert _weights(cut) == _weights(make_job(out="whole", **changes))


def test_memory_bounds_make_parts_of_the_same_batch(make_job: MakeJob, monkeypatch: pytest.MonkeyPatch):
    """Where logits would not fit, a batch goes through in parts, and the first loss is about the same."""
    whole = pretrain(make_job(out="whole", objective="causal_lm", steps=1))
    monkeypatch.setattr("models.pretrain.objectives.base.LOGITS_AT_ONCE", 300 * 64)
    parts = pretrain(make_job(out="parts", objective="causal_lm", steps=1))
    assert parts.curve[-1].train_loss == pytest.approx(whole.curve[-1].train_loss, rel=1e-4)


def test_patience_ends_it(make_job: MakeJob):
    """A rate that learns nothing stops after as many scores as patience allows, the first weights kept."""
    report = pretrain(make_job(learning_rate=1e-12, warmup_share=0, patience=2, evaluate_steps=3))
    assert report.stopped == "early"
    assert report.steps < 30


def test_a_loss_that_is_no_number_ends_it(make_job: MakeJob, monkeypatch: pytest.MonkeyPatch):
    """The error says what to lower."""
    losses = MaskedWords.losses

    def broken(*args: Any) -> torch.Tensor:  # noqa: ANN401 - passed through
        return losses(*args) * float("nan")

    monkeypatch.setattr(MaskedWords, "losses", broken)
    with pytest.raises(TrainingError, match="Lower learning_rate"):
        pretrain(make_job())


def test_a_finished_one_is_not_run_again(make_job: MakeJob, monkeypatch: pytest.MonkeyPatch):
    """Its report is read, as long as its start is whole; a longer time limit is the same job."""
    report = pretrain(make_job(epochs=0.2))
    again = make_job(epochs=0.2, time_limit_seconds=99)
    monkeypatch.setattr(fit, "_Pretraining", None)
    assert pretrain(again) == report == read_pretrain_report(again.folder)
    (again.folder / "start" / "head.safetensors").unlink()
    assert finished_pretraining(again) is None
