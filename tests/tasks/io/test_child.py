import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from transformers import BertConfig, BertModel

from models.encoder import DEFAULT_ENCODER, encoder_folder
from models.errors import DataError, TrainingError, TrainingMemoryError, TrainingTimeoutError
from models.preprocess import encode_snapshot
from models.schemas import AgentConfig, ArtifactRef, SourceConfig
from models.training.files import folder_ref
from models.training.job import TrainingProgress, TrainJob
from tasks.io import child
from tasks.io.child import FINE_TUNE, run_child, train_within_memory
from tasks.io.digests import checked

pytestmark = pytest.mark.system
ROOT = Path(__file__).parents[3]
PARENT = """
import sys
from pathlib import Path
from models.training.job import TrainJob
from tasks.io.child import run_child
run_child(TrainJob.model_validate_json(Path(sys.argv[1]).read_bytes()), lambda progress: None, 600)
"""

LIMITED = """
import resource, sys
from pathlib import Path
from models.training.job import TrainJob
from tasks.io.child import FINE_TUNE, train_within_memory
resource.setrlimit(resource.RLIMIT_DATA, (int(sys.argv[2]), int(sys.argv[2])))
job = TrainJob.model_validate_json(Path(sys.argv[1]).read_bytes())
train_within_memory(job, lambda progress: None, 600, FINE_TUNE)
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with a tiny encoder, rows.parquet and its windows."""
    folder = tmp_path_factory.mktemp("data")
    shape = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        BertModel(BertConfig(**shape), add_pooling_layer=False).save_pretrained(folder / "encoder")
    bundled = encoder_folder(DEFAULT_ENCODER)
    assert bundled is not None
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(bundled / name, folder / "encoder" / name)
    texts = [f"{word} number {i}" for i in range(60) for word in ("good", "bad")]
    splits = ["validation" if i % 5 == 4 else "train" for i in range(120)]
    rows = pa.table({"text": texts, "label": ["pos", "neg"] * 60, "split": splits})
    pq.write_table(rows, folder / "rows.parquet")
    encode_snapshot(config(folder), folder / "rows.parquet", folder / "encoded")
    return folder


def config(data: Path, **changes: Any) -> AgentConfig:  # noqa: ANN401 - values of any field
    """Describe an agent on the tiny encoder."""
    values = {
        "name": "agent",
        "adapter": "text_classification",
        "labels": ("neg", "pos"),
        "sources": (SourceConfig(address="rows.csv"),),
        "encoder": str(data / "encoder"),
        "tokens_per_batch": 64,
        "patience": 1000,
    }
    return AgentConfig.model_validate(values | changes)


def job(data: Path, out: Path, **changes: Any) -> TrainJob:  # noqa: ANN401 - values of any field
    """Describe a training."""
    encoded = ArtifactRef(address=str(data / "encoded"), digest=folder_ref(data / "encoded").digest)
    rows = str(data / "rows.parquet")
    return TrainJob(config=config(data, **changes), encoded=encoded, rows=rows, out=str(out))


def trainings_in(out: Path) -> list[psutil.Process]:
    """Find the processes that train in a folder."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            line = process.cmdline()
            if "models.training.child" in line and line[-1].startswith(str(out)):
                found.append(process)
    return found


def wait_until(condition: Any, seconds: float = 60.0) -> None:  # noqa: ANN401 - any callable
    """Wait for a condition, and fail if it does not come."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def ignore(progress: TrainingProgress) -> None:
    """Look at no progress."""


def weights(out: Path) -> bytes:
    """Read the stored weights."""
    return (out / "model" / "model.safetensors").read_bytes()


def test_a_killed_child_goes_on_to_the_same_weights(data: Path, tmp_path: Path):
    """A child killed by SIGKILL in mid-training, run again, gives the weights of an undisturbed one."""
    changes = {"epochs": 60, "checkpoint_steps": 10}
    seen: list[TrainingProgress] = []
    report = run_child(job(data, tmp_path / "whole", **changes), seen.append, 300)
    assert seen[-1].heartbeat.step <= report.steps
    assert checked(report.model) == tmp_path / "whole" / "model"
    cut = tmp_path / "cut"

    def kill(progress: TrainingProgress) -> None:
        if list((cut / "checkpoints").glob("step-*")):
            for process in trainings_in(cut):
                process.kill()

    with pytest.raises(TrainingError, match="signal SIGKILL"):
        run_child(job(data, cut, **changes), kill, 300)
    again = run_child(job(data, cut, **changes), ignore, 300)
    assert again.resumed_from > 0
    assert weights(cut) == weights(tmp_path / "whole")
    assert not (cut / "checkpoints").exists()


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM])
def test_the_child_dies_with_its_parent(data: Path, tmp_path: Path, sign: signal.Signals):
    """A parent ended by a signal leaves no training behind."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "job.json").write_text(job(data, out, epochs=1000).model_dump_json())
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(out / "job.json")], cwd=ROOT)
    try:
        wait_until((out / "heartbeat.json").exists)
        assert trainings_in(out)
        parent.send_signal(sign)
        parent.wait()
        wait_until(lambda: not trainings_in(out), 10)
    finally:
        parent.kill()


def test_the_time_limit_ends_the_child(data: Path, tmp_path: Path):
    """A training that runs longer than its limit is ended, and the error names the limit."""
    with pytest.raises(TrainingTimeoutError, match=r"limit of 1 s.*time_limit_seconds"):
        run_child(job(data, tmp_path, epochs=1000), ignore, 1)
    assert not trainings_in(tmp_path)


def test_a_silent_child_is_ended(data: Path, tmp_path: Path):
    """A child that is stopped dead sends no heartbeat and is ended by force."""

    def stop(progress: TrainingProgress) -> None:
        for process in trainings_in(tmp_path):
            process.suspend()

    with pytest.raises(TrainingTimeoutError, match="Nothing was heard"):
        run_child(job(data, tmp_path, epochs=1000), stop, 300, heartbeat_limit=2)
    assert not trainings_in(tmp_path)


def test_an_interrupted_caller_leaves_nothing(data: Path, tmp_path: Path):
    """An exception in the caller, such as Ctrl-C, ends the child before it goes on."""

    def interrupt(progress: TrainingProgress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_child(job(data, tmp_path, epochs=1000), interrupt, 300)
    assert not trainings_in(tmp_path)


def test_the_childs_error_keeps_its_type(data: Path, tmp_path: Path):
    """What the child raises on purpose arrives as the same type with the same message."""
    with pytest.raises(DataError, match="'odd' of the agent's labels has 0 training rows"):
        run_child(job(data, tmp_path, labels=("neg", "pos", "odd")), ignore, 300)


def test_an_unexpected_error_is_one_paragraph(data: Path, tmp_path: Path):
    """What the child did not expect arrives with its type and words; its traceback stays in the log."""
    (tmp_path / "checkpoints").write_text("a file where a folder has to be")
    with pytest.raises(TrainingError) as caught:
        run_child(job(data, tmp_path, checkpoint_steps=1), ignore, 300)
    assert "NotADirectoryError: [Errno 20]" in str(caught.value)
    assert "Traceback" not in str(caught.value)
    assert "Traceback" in (tmp_path / "child.log").read_text()


def test_two_trainings_do_not_share_a_folder(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A second training in a locked folder is refused."""
    monkeypatch.setattr(child, "_GRACE_SECONDS", 0.1)
    with (tmp_path / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(TrainingError, match="Another process trains"):
            run_child(job(data, tmp_path), ignore, 300)


def test_a_finished_training_is_not_run_again(data: Path, tmp_path: Path):
    """The same job in the same folder gives the stored report without starting a process."""
    first = run_child(job(data, tmp_path, epochs=1), ignore, 300)
    os.remove(tmp_path / "child.log")
    assert run_child(job(data, tmp_path, epochs=1), ignore, 300) == first
    assert not (tmp_path / "child.log").exists()


def test_a_batch_too_large_for_memory_is_trained_in_parts(data: Path, tmp_path: Path):
    """Where the whole batch needs more memory than there is, training goes on in parts to its end."""
    texts = [f"{word} {'number ' * 60}" for _ in range(1500) for word in ("good", "bad")]
    splits = ["validation" if i % 100 < 2 else "train" for i in range(len(texts))]
    rows = pa.table({"text": texts, "label": ["pos", "neg"] * 1500, "split": splits})
    pq.write_table(rows, tmp_path / "rows.parquet")
    asked = job(data, tmp_path / "out", tokens_per_batch=1_000_000, epochs=1)
    encode_snapshot(asked.config, tmp_path / "rows.parquet", tmp_path / "encoded")
    encoded = ArtifactRef(address=str(tmp_path / "encoded"), digest=folder_ref(tmp_path / "encoded").digest)
    asked = asked.model_copy(update={"encoded": encoded, "rows": str(tmp_path / "rows.parquet")})
    (tmp_path / "job.json").write_text(asked.model_dump_json())
    limited = [sys.executable, "-c", LIMITED, str(tmp_path / "job.json"), str(1000 << 20)]
    one_thread = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(limited, cwd=ROOT, env=one_thread, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    request = TrainJob.model_validate_json((tmp_path / "out" / "request.json").read_bytes())
    assert request.parts > 1
    assert f"in {request.parts} parts" in done.stderr


@pytest.mark.parametrize(("seed", "parts"), [(None, 16), (1, 1)])
def test_a_cut_off_training_goes_on_with_its_parts(data: Path, tmp_path: Path, seed: int | None, parts: int):
    """What an earlier attempt learned about memory counts for the same job, and for no other."""
    earlier = job(data, tmp_path, epochs=1).model_copy(update={"parts": 16, "seed": seed})
    (tmp_path / "request.json").write_text(earlier.model_dump_json())
    train_within_memory(job(data, tmp_path, epochs=1), ignore, 300, FINE_TUNE)
    assert TrainJob.model_validate_json((tmp_path / "request.json").read_bytes()).parts == parts


def test_all_attempts_share_one_deadline(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Smaller parts get the time that is left, and where none suffice the error says what to lower."""
    deadlines = []

    def run_out(asked: TrainJob, _: object, limits: child._Limits, program: object) -> None:
        deadlines.append((asked.parts, limits.deadline))
        raise TrainingMemoryError("full")

    monkeypatch.setattr(child, "_attempt", run_out)
    with pytest.raises(TrainingMemoryError, match=r"in 64 parts \(full\)\. Lower tokens_per_batch"):
        train_within_memory(job(data, tmp_path), ignore, 300, FINE_TUNE)
    assert [parts for parts, _ in deadlines] == [1, 4, 16, 64]
    assert len({deadline for _, deadline in deadlines}) == 1
