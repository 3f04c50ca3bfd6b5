"""A whole meta-training from tokenized rows to a stored start, and that start on new episodes."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors.torch import load_file

from models.adapters import get_adapter
from models.encoder import load_encoder, load_tokenizer
from models.episodes import Drawn, Episode
from models.errors import ArtifactError, DataError
from models.meta.fit import finished_start, meta_fit, read_start_report
from models.meta.job import MetaJob
from models.meta.judging import by_row, content_hash, judged_episodes, opened
from models.meta.lessons import check_episodes, make_source, split_of, split_pools
from models.meta.scoring import score_episodes
from models.meta.store import load_start
from models.preprocess import encode_snapshot
from models.schemas import SourceConfig
from models.schemas.start import EncodedSource, EpisodeRows, EpisodeSource, StartConfig
from models.training.child import PARENT
from models.training.files import folder_ref

ROOT = Path(__file__).parents[3]
WORDS = (
    *("river", "stone", "cloud", "bread", "horse", "glass", "piano", "tower"),
    *("apple", "night", "green", "seven", "chair", "field", "paper", "water"),
)


def _rows(classes: int = 16, each: int = 14) -> pa.Table:
    rng = np.random.default_rng(0)
    labels = [f"class {i}" for i in range(classes) for _ in range(each)]
    fill = ["the", "a", "of", "and", "one", "two", "more", "so"]
    texts = [
        " ".join([WORDS[i], *rng.choice(fill, rng.integers(1, 5)), str(n)])
        for i in range(classes)
        for n in range(each)
    ]
    splits = ["train"] * (len(labels) - 2) + ["validation", "test"]
    return pa.table({"text": texts, "label": labels, "split": splits})


@pytest.fixture
def make_job(tiny_encoder: Path, tmp_path: Path) -> Callable[..., MetaJob]:
    """Give a function that describes a meta-training on made-up classes."""

    def make(out: str = "out", **changes: object) -> MetaJob:
        values = {
            "name": "words",
            "sources": (
                EpisodeSource(adapter="text_classification", source=SourceConfig(address="rows.csv")),
            ),
            "encoder": str(tiny_encoder),
            "max_length": 16,
            "n_way": 3,
            "k_shot": 1,
            "n_query": 4,
            "judged_way": 2,
            "steps": 6,
            "evaluate_steps": 3,
            "validation_episodes": 10,
            "test_episodes": 12,
            "outer_lr": 1e-3,
        }
        config = StartConfig.model_validate(values | changes)
        rows = _rows()
        agent = config.source_agent(0, tuple(dict.fromkeys(rows["label"].to_pylist())))
        pq.write_table(rows, tmp_path / "rows.parquet")
        encode_snapshot(agent, tmp_path / "rows.parquet", tmp_path / "encoded")
        encoded = folder_ref(tmp_path / "encoded")
        rows_of = EpisodeRows(sources=(EncodedSource(agent=agent, encoded=encoded),))
        return MetaJob(config=config, rows=rows_of, out=str(tmp_path / out))

    return make


@pytest.mark.parametrize(
    "changes",
    [
        {"learner": "prototypical"},
        {"learner": "anil", "learner_settings": {"inner_steps": 2}, "meta_layers": "none"},
        {"learner": "maml", "learner_settings": {"inner_steps": 1}, "meta_layers": 1},
        {"learner": "prototypical", "meta_weights": ["*attention*"]},
        {"learner": "prototypical", "meta_rank": 2},
        {"learner": "maml", "learner_settings": {"inner_steps": 1}, "meta_layers": 1, "meta_rank": 2},
    ],
    ids=["prototypical", "anil", "maml", "by name", "low rank", "maml of low rank"],
)
def test_a_stored_start_is_the_best_one(make_job: Callable[..., MetaJob], changes: dict[str, object]):
    """What is read back has the learned weights: on meta-validation's episodes it has the best score."""
    job = make_job(**changes)
    report = meta_fit(job)
    start = load_start(Path(report.start.address))
    pools = split_pools(job.config, job.rows, start.tokenizer)
    ready, states = opened(start, ["text_classification"])
    source = make_source(job.config, pools, "validation", states)
    scores = score_episodes(ready, source, source.episodes(0, job.config.validation_episodes))
    assert scores.mean() == pytest.approx(report.best_score)
    assert report.best_score == max(point.validation_score for point in report.curve)


def test_a_start_that_learned_with_names_can_be_judged(make_job: Callable[..., MetaJob]):
    """What was asked of its tokenizer in between makes it no other tokenizer."""
    job = make_job(names=True)
    start = load_start(Path(meta_fit(job).start.address))
    assert len(judged_episodes(start, job.config, job.rows))


def test_the_gate_sees_a_line_a_query(make_job: Callable[..., MetaJob]):
    """Each line counts one answer and names its source; a row has one hash in all episodes."""
    job = make_job()
    start = load_start(Path(meta_fit(job).start.address))
    first, second = (judged_episodes(start, job.config, job.rows) for _ in range(2))
    assert first.equals(second)
    assert (first["tp"].to_numpy() + first["fp"].to_numpy() == 1).all()
    assert np.bincount(first["episode"]).tolist() == [8] * 12
    assert len(by_row(first)) < len(first)
    assert first["slices"][0].as_py() == ["domain=episodes-words-0", "source=episodes-words-0"]


def test_a_test_split_that_fills_no_episode_is_told_before_training(make_job: Callable[..., MetaJob]):
    """Training and validation could go on for hours before the test episodes are drawn."""
    job = make_job()
    pools = split_pools(job.config, job.rows, load_tokenizer(job.config.encoder))
    few = [(pool.restricted(pool.classes[:1]), weight) for pool, weight in pools["test"]]
    with pytest.raises(DataError, match=r"Meta-test can not fill an episode\..*n_way is judged_way"):
        check_episodes(job.config, {**pools, "test": few})


def test_the_encoder_of_a_start_is_an_encoder_by_its_path(make_job: Callable[..., MetaJob]):
    """Any agent can name it: it loads as every local encoder does, with the weights of the start."""
    job = make_job()
    report = meta_fit(job)
    start = Path(report.start.address)
    encoder, _ = load_encoder(str(start / "encoder"))
    read = load_start(start).encoder
    assert all((a == b).all() for a, b in zip(encoder.parameters(), read.parameters(), strict=True))


def test_a_job_that_ended_is_not_run_again(make_job: Callable[..., MetaJob]):
    """The second call gives the stored report; a damaged start is trained anew."""
    job = make_job()
    report = meta_fit(job)
    assert finished_start(job) == report == read_start_report(job.folder)
    (Path(report.start.address) / "start.json").write_text("{}")
    assert finished_start(job) is None


def test_another_address_is_the_same_job_and_another_rate_is_not(make_job: Callable[..., MetaJob]):
    """The digest stands on what shapes the weights."""
    assert make_job().digest == make_job(out="elsewhere", checkpoint_steps=7).digest
    assert make_job().digest != make_job(outer_lr=2e-3).digest


def test_another_encoder_of_the_same_address_is_another_job(
    make_job: Callable[..., MetaJob], tiny_encoder: Path, tmp_path: Path
):
    """What counts is what the folder holds: an encoder that changed under its name is not gone on with."""
    folder = tmp_path / "encoder"
    shutil.copytree(tiny_encoder, folder)
    job = make_job(encoder=str(folder))
    before = job.digest
    (folder / "config.json").write_text((folder / "config.json").read_text() + "\n")
    assert job.digest != before


def test_rows_moved_elsewhere_are_the_same_job(make_job: Callable[..., MetaJob]):
    """The address of a source says nothing about the weights."""
    moved = EpisodeSource(adapter="text_classification", source=SourceConfig(address="/mnt/rows.csv"))
    assert make_job(sources=(moved,)).digest == make_job().digest


def test_episodes_of_other_classes_have_another_hash(make_job: Callable[..., MetaJob]):
    """The same rows asked for otherwise are another problem."""
    job = make_job()
    pools = split_pools(job.config, job.rows, load_tokenizer(job.config.encoder))
    pool = pools["train"][0][0]
    drawn = Drawn(np.array([0, 1]), np.empty(0, np.int64))
    one, other = (Episode(0, np.array(c), drawn, drawn) for c in ([0, 1], [1, 2]))
    assert content_hash(pool, one) != content_hash(pool, other)


def test_classes_keep_their_split_whatever_joins_them(make_job: Callable[..., MetaJob]):
    """A class's split is told by its name alone, however it is written, and all three have some."""
    job = make_job()
    tokenizer = load_tokenizer(job.config.encoder)
    pools = split_pools(job.config, job.rows, tokenizer)
    for split, found in pools.items():
        assert found
        assert {split_of(name.upper(), job.config) for pool, _ in found for name in pool.classes} == {split}


def test_too_few_classes_say_what_to_do(make_job: Callable[..., MetaJob]):
    """More classes an episode than meta-train has is an error that names both numbers."""
    with pytest.raises(DataError, match="and n_way is 30"):
        meta_fit(make_job(n_way=30))


def test_an_incomplete_start_is_refused(make_job: Callable[..., MetaJob]):
    """The message names the missing file."""
    report = meta_fit(make_job())
    (Path(report.start.address) / "learner.safetensors").unlink()
    with pytest.raises(ArtifactError, match=r"learner\.safetensors missing"):
        load_start(Path(report.start.address))


def test_what_the_learner_learned_beside_the_encoder_is_kept(make_job: Callable[..., MetaJob]):
    """The scale of a prototypical network is stored; the encoder's weights are not stored twice."""
    report = meta_fit(make_job())
    assert set(load_file(Path(report.start.address) / "learner.safetensors")) == {
        "text_classification|head.log_scale"
    }


def test_texts_are_read_by_the_adapter_of_their_source(make_job: Callable[..., MetaJob]):
    """The agent that describes a source has all labels, and holds nearly no row out."""
    agent = make_job().rows.sources[0].agent
    assert len(get_adapter(agent).outputs) == 16
    assert agent.test_share < 0.02


def _run_child(job: MetaJob) -> int:
    job.folder.mkdir()
    (job.folder / "request.json").write_text(job.model_dump_json())
    command = [sys.executable, "-m", "models.meta.child", str(job.folder / "request.json")]
    return subprocess.run(command, cwd=ROOT, check=False, capture_output=True).returncode


@pytest.mark.system
def test_processes_that_share_the_episodes_give_the_start_of_one(make_job: Callable[..., MetaJob]):
    """Two find each other, and leave one start with the weights and the curve of a single process."""
    changes = {"meta_batch_size": 2, "steps": 4, "precision": "fp32", "optimizer": "SGD", "outer_lr": 0.1}
    jobs = [make_job(out=str(n), processes=n, **changes) for n in (1, 2)]
    assert [_run_child(job) for job in jobs] == [0, 0]
    one, two = (read_start_report(job.folder) for job in jobs)
    for point, other in zip(one.curve, two.curve, strict=True):
        assert other.validation_score == pytest.approx(point.validation_score)
    folders = [Path(report.start.address) / "encoder" / "model.safetensors" for report in (one, two)]
    plain = load_file(Path(jobs[0].config.encoder) / "model.safetensors")
    first, second = map(load_file, folders)
    moved = max(float((first[name] - w).abs().max()) for name, w in plain.items())
    assert max(float((first[name] - w).abs().max()) for name, w in second.items()) < 1e-3 * moved


@pytest.mark.system
def test_the_first_error_of_several_processes_is_the_one_that_is_told(make_job: Callable[..., MetaJob]):
    """The others fail of the connection to the one that ended, which is no reason."""
    job = make_job(processes=2)
    job.folder.mkdir()
    request = job.folder / "request.json"
    request.write_text(job.model_dump_json())
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    env = {k: v for k, v in os.environ.items() if k != PARENT}
    command = [
        *launcher,
        "--local-addr",
        "127.0.0.1",
        "--module",
        "tests.models.meta.failing_job",
        str(request),
    ]
    assert subprocess.run(command, cwd=ROOT, check=False, capture_output=True, env=env).returncode != 0
    assert "memory ran out here" in (job.folder / "error.json").read_text()


@pytest.mark.system
def test_an_error_of_one_process_is_told(make_job: Callable[..., MetaJob]):
    """What went wrong there, not that a process ended."""
    job = make_job(processes=2, n_way=30)
    assert _run_child(job) == 1
    assert "n_way is 30" in (job.folder / "error.json").read_text()


@pytest.mark.system
def test_the_child_leaves_a_start_or_says_why_not(make_job: Callable[..., MetaJob]):
    """`python -m models.meta.child` ends with the report, or with an error file and another code."""
    for name, changes, code, left in (
        ("good", {}, 0, "training.json"),
        ("bad", {"n_way": 30}, 1, "error.json"),
    ):
        job = make_job(out=name, **changes)
        assert _run_child(job) == code
        assert (job.folder / left).exists()
    assert "n_way is 30" in (job.folder / "error.json").read_text()
