"""A new start beside the present one: on the same episodes, none that either has learned from."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.errors import ArtifactError
from models.meta.store import SEEN, Seen
from models.schemas import AgentConfig, ArtifactRef, Metric
from models.schemas.start import EncodedSource, EpisodeRows, StartConfig, StartReport, StartScores
from tasks.io.books import Books
from tasks.io.digests import ref_to
from tasks.io.evaluation import OUTCOMES, baseline_file
from tasks.io.ledger import decisions, uses
from tasks.io.start_judging import StartOccasion, judge_start
from tasks.io.start_version import StartVersion
from tasks.io.verdicts import earlier_verdict

SOURCE = {"adapter": "text_classification", "source": {"address": "rows.csv"}}
CONFIG = StartConfig.model_validate({"name": "words", "sources": [SOURCE]})
AGENT = AgentConfig.model_validate(
    {"name": "rows", "adapter": "text_classification", "labels": ["a", "b"], "sources": [SOURCE["source"]]}
)
ROWS = EpisodeRows(sources=(EncodedSource(agent=AGENT, encoded=ArtifactRef(address="x", digest="d" * 64)),))
EPISODES = 200
Scores = Callable[..., StartScores]
Present = Callable[..., StartVersion]


def _table(right: int, classes: int = 4) -> pa.Table:
    """Write episodes with one query each, asked 25 times, `right` times right; classes take turns."""
    tp = right + np.arange(EPISODES) % 3 - 1
    return pa.table(
        {
            "episode": np.arange(EPISODES),
            "text_hash": np.arange(EPISODES, dtype=np.uint64),
            "tp": tp,
            "fp": 25 - tp,
            "fn": 25 - tp,
            "exact": tp == 25,
            "slices": [["domain=d", "source=s"]] * EPISODES,
            "classes": [[f"class {i % classes}"] for i in range(EPISODES)],
        }
    )


@pytest.fixture
def scores(tmp_path: Path) -> Scores:
    """Give a function that stores outcomes as a start's scores."""

    def make(name: str, **tables: pa.Table) -> StartScores:
        folder = tmp_path / name
        folder.mkdir()
        for key, table in tables.items():
            pq.write_table(table, folder / (OUTCOMES if key == "own" else baseline_file(key)))
        metric = Metric(value=0.5, low=0.4, high=0.6, rows=EPISODES)
        start = ArtifactRef(address=str(folder), digest="0" * 64)
        return StartScores(start=start, score=metric, baselines={}, outcomes=ref_to(folder), size_mb=1.0)

    return make


@pytest.fixture
def champion(tmp_path: Path) -> Present:
    """Give a function that describes a present start that has learned from some classes."""

    def make(*classes: str) -> StartVersion:
        folder = tmp_path / "present"
        folder.mkdir()
        (folder / SEEN).write_text(Seen(classes=classes).model_dump_json())
        report = StartReport(
            start=ref_to(folder), steps=1, best_step=1, best_score=0.5, curve=(), seconds=1.0
        )
        return StartVersion(
            agent=CONFIG.agent, version=1, run_id="r", start=ref_to(folder), config=CONFIG, training=report
        )

    return make


def _occasion(present: StartVersion | None = None) -> StartOccasion:
    return StartOccasion(version=2 if present else 1, champion=present, rows=ROWS)


def test_a_first_start_has_to_beat_what_has_learned_nothing(books: Books, scores: Scores):
    """The baselines stand beside it, and the verdict names them."""
    better = judge_start(books, CONFIG, _occasion(), scores("new", own=_table(20), plain=_table(15)), None)
    assert better.verdict == "promote"
    assert [test.name for test in better.baselines] == ["plain"]


def test_a_start_no_better_than_the_plain_encoder_is_kept_out(books: Books, scores: Scores):
    """A tie is no win."""
    told = judge_start(books, CONFIG, _occasion(), scores("new", own=_table(15), plain=_table(15)), None)
    assert told.verdict == "keep"


def test_a_new_start_is_compared_with_the_present_one(books: Books, scores: Scores, champion: Present):
    """On the same episodes, paired."""
    told = judge_start(
        books, CONFIG, _occasion(champion()), scores("new", own=_table(20)), scores("old", own=_table(15))
    )
    assert told.verdict == "promote"
    assert told.superiority
    assert told.superiority.rows == EPISODES


def test_episodes_with_a_class_that_the_present_start_knows_are_out(
    books: Books, scores: Scores, champion: Present
):
    """One class in four is known to it, and so one episode in four."""
    told = judge_start(
        books,
        CONFIG,
        _occasion(champion("class 0")),
        scores("new", own=_table(20)),
        scores("old", own=_table(15)),
    )
    assert told.rows == EPISODES * 3 // 4


def test_rows_that_episodes_share_are_evidence_once(books: Books, scores: Scores, champion: Present):
    """A thousand episodes over twenty rows are no more than twenty rows."""
    rng = np.random.default_rng(0)

    def lines(rate: float) -> pa.Table:
        right = rng.random(1000) < rate
        return pa.table(
            {
                "episode": np.arange(1000),
                "text_hash": np.arange(1000, dtype=np.uint64) % 20,
                "tp": right.astype(np.int64),
                "fp": (~right).astype(np.int64),
                "fn": (~right).astype(np.int64),
                "exact": right,
                "slices": [["domain=d", "source=s"]] * 1000,
                "classes": [["a", "b"]] * 1000,
            }
        )

    new, old = scores("new", own=lines(0.9)), scores("old", own=lines(0.5))
    told = judge_start(books, CONFIG, _occasion(champion()), new, old)
    assert (told.verdict, told.rows) == ("not_enough_data", 20)


def test_a_row_s_uses_count_whichever_episodes_ask_about_it(books: Books, scores: Scores, champion: Present):
    """Another seed draws other episodes from the same rows, which are used up all the same."""
    config = CONFIG.model_copy(update={"max_reuse": 1})
    judge_start(books, config, _occasion(), scores("one", own=_table(20), plain=_table(15)), None)
    other = config.model_copy(update={"seed": 1})
    later = _table(20).set_column(0, "episode", pa.array(np.arange(EPISODES) + 7))
    occasion = _occasion(champion())
    old = _table(15).set_column(0, "episode", later["episode"])
    told = judge_start(books, other, occasion, scores("new", own=later), scores("old", own=old))
    assert told.verdict == "not_enough_fresh_data"


def test_outcomes_of_other_episodes_are_refused(books: Books, scores: Scores, champion: Present):
    """Nothing is compared that was not asked alike."""
    new, old = scores("new", own=_table(20)), scores("old", own=_table(15).slice(1))
    with pytest.raises(ArtifactError, match="of other episodes"):
        judge_start(books, CONFIG, _occasion(champion()), new, old)


def test_a_verdict_is_found_again_and_counts_once(books: Books, scores: Scores):
    """The same start on the same rows under the same rules is judged once, with one use of each episode."""
    occasion, new = _occasion(), scores("new", own=_table(20), plain=_table(15))
    key = occasion.key(CONFIG)
    assert earlier_verdict(books, CONFIG.agent, 1, key) is None
    told = judge_start(books, CONFIG, occasion, new, None)
    assert judge_start(books, CONFIG, occasion, new, None) == told
    assert earlier_verdict(books, CONFIG.agent, 1, key) == told
    assert len(decisions(books.ledger, CONFIG.agent)) == 1
    assert uses(books.ledger, CONFIG.agent, np.arange(3, dtype=np.uint64)).tolist() == [1, 1, 1]


def test_stricter_rules_are_another_occasion():
    """A verdict under one level says nothing under another."""
    stricter = CONFIG.model_copy(update={"alpha": 0.01})
    assert _occasion().key(CONFIG) != _occasion().key(stricter)
