"""From stored evaluations to a recorded verdict, on a ledger of the test's own."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.schemas import (
    AgentConfig,
    ArtifactRef,
    DatasetSnapshot,
    EvaluationReport,
    GateReport,
    SourceConfig,
)
from tasks.io.books import Books
from tasks.io.champion import Champion
from tasks.io.digests import ref_to
from tasks.io.judging import Contest, Occasion, OlderRows, judge_contest, older_rows
from tasks.io.ledger import IntentRequest, close_intent, decisions, open_intent, open_ledger, uses
from tasks.io.verdicts import earlier_verdict

CONFIG = AgentConfig(
    name="mood",
    adapter="text_classification",
    labels=("bad", "good"),
    sources=(SourceConfig(address="rows.csv"),),
    typical_change=None,
)
NOTHING = ArtifactRef(address="", digest="")
NEW, OLD, TRAINED = range(200), range(1000, 1200), range(5000, 5010)


@pytest.fixture
def books(tmp_path: Path) -> Books:
    """Open a ledger; nothing here looks at MLflow."""
    return Books("", open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}"), "", tmp_path)


@pytest.fixture
def made(tmp_path: Path) -> "Made":
    """Give what makes snapshots and evaluations."""
    return Made(tmp_path)


class Made:
    """Makes snapshots and evaluations; a row is known by the hash of its text.

    Args:
        folder: Where their files go.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0

    def _new(self) -> Path:
        self._count += 1
        path = self._folder / str(self._count)
        path.mkdir()
        return path

    def snapshot(self, test: Sequence[int], train: Sequence[int] = TRAINED) -> DatasetSnapshot:
        """Make a snapshot with the given held-out and training rows."""
        folder, splits = self._new(), ["test"] * len(test) + ["train"] * len(train)
        rows = pa.table({"text_hash": pa.array([*test, *train], pa.uint64()), "split": splits})
        pq.write_table(rows, folder / "rows.parquet")
        return DatasetSnapshot(
            artifact=ref_to(folder),
            adapter="text_classification",
            rows=len(splits),
            quarantined=0,
            split_counts={},
            label_counts={},
        )

    def scores(self, rows: Sequence[int], wrong: Sequence[int] = ()) -> EvaluationReport:
        """Make an evaluation on `rows` with wrong answers on some of them; its baseline answers alike."""
        folder, right = self._new(), ~np.isin(rows, wrong)
        counts = {name: pa.array(column.astype(np.int64)) for name, column in _counts(right).items()}
        table = {"text_hash": pa.array(rows, pa.uint64()), **counts, "exact": right}
        slices = pa.array([["source=rows"]] * len(rows), pa.list_(pa.string()))
        for name in ("outcomes", "baseline-majority"):
            pq.write_table(pa.table(table | {"slices": slices}), folder / f"{name}.parquet")
        return EvaluationReport(
            agent="mood",
            model=NOTHING,
            snapshot=NOTHING,
            primary="accuracy",
            metrics={},
            per_label={},
            slices=(),
            confusion_labels=(),
            confusion=(),
            reliability=(),
            calibration_error=0.0,
            baselines={},
            latency_ms={"1": 1.0},
            size_mb=1.0,
            outcomes=ref_to(folder),
        )

    def version(self, number: int, snapshot: DatasetSnapshot, config: AgentConfig = CONFIG) -> Champion:
        """Describe a version that was made from a snapshot."""
        return Champion(
            agent="mood", version=number, run_id="", model=NOTHING, snapshot=snapshot, config=config
        )


def _counts(right: np.ndarray) -> dict[str, np.ndarray]:
    return {"tp": right, "fp": ~right, "fn": ~right}


def _occasion(made: Made, champion: Champion | None, test: Sequence[int] = NEW, number: int = 2) -> Occasion:
    snapshot = made.snapshot(test)
    return Occasion(version=number, champion=champion, snapshot=snapshot, window=snapshot)


def _won(made: Made, occasion: Occasion, **changes: object) -> Contest:
    """Let the challenger win on the new rows: the champion is wrong on 40 of 200."""
    values = {"challenger": made.scores(NEW), "incumbent": made.scores(NEW, range(40))}
    return Contest.model_validate({"occasion": occasion} | values | changes)


def test_a_verdict_counts_each_row_once(books: Books, made: Made):
    """One decision is recorded, with one use of every held-out row that it rests on."""
    contest = _won(made, _occasion(made, made.version(1, made.snapshot(NEW))))
    assert judge_contest(books, CONFIG, contest).verdict == "promote"
    assert [d.challenger for d in decisions(books.ledger, "mood")] == [2]
    assert uses(books.ledger, "mood", np.array(NEW, np.uint64)).tolist() == [1] * 200


def _found(books: Books, occasion: Occasion, config: AgentConfig) -> GateReport | None:
    return earlier_verdict(books, "mood", occasion.version, occasion.key(config))


def test_the_same_occasion_is_judged_once(books: Books, made: Made):
    """A repeated run finds the verdict; under other rules, or against another champion, there is none yet."""
    occasion = _occasion(made, made.version(1, made.snapshot(NEW)))
    assert _found(books, occasion, CONFIG) is None
    report = judge_contest(books, CONFIG, _won(made, occasion))
    assert _found(books, occasion, CONFIG) == report
    assert _found(books, occasion, CONFIG.model_copy(update={"alpha": 0.01})) is None
    other = occasion.model_copy(update={"champion": made.version(3, made.snapshot(NEW))})
    assert _found(books, other, CONFIG) is None


def test_a_promoted_version_is_not_judged_again(books: Books, made: Made):
    """Its verdict stands, also when it is the champion itself or another one has followed."""
    occasion = _occasion(made, made.version(1, made.snapshot(NEW)))
    report = judge_contest(books, CONFIG, _won(made, occasion))
    move = open_intent(books.ledger, IntentRequest("mood", 2, None, "better", "test"))
    close_intent(books.ledger, move.id, "done")
    now = occasion.model_copy(update={"champion": made.version(2, occasion.snapshot)})
    assert _found(books, now, CONFIG) == report


def test_rows_that_the_champion_learned_from_are_left_out(books: Books, made: Made):
    """A row that was in its training part says nothing about it."""
    champion = made.version(1, made.snapshot(range(100, 200), train=[*range(100), *TRAINED]))
    assert judge_contest(books, CONFIG, _won(made, _occasion(made, champion))).rows == 100


def test_rows_that_the_champion_knows_are_the_reference(books: Books, made: Made):
    """Superiority is asked for on the new rows, and harm looked for on the others."""
    occasion = _occasion(made, made.version(1, made.snapshot(range(100, 200))))
    report = judge_contest(books, CONFIG, _won(made, occasion))
    assert report.superiority is not None
    assert report.superiority.rows == 100
    assert {test.name: test.rows for test in report.slices}["window=reference"] == 100


def test_a_challenger_that_forgets_is_kept_out(books: Books, made: Made):
    """Rows that only the champion's snapshot holds out are judged as well: a loss there is harm."""
    champion = made.version(1, made.snapshot([*NEW, *OLD]))
    older = OlderRows(
        challenger=made.scores([*NEW, *OLD], OLD[:60]), incumbent=made.scores([*NEW, *OLD], range(40))
    )
    contest = _won(made, _occasion(made, champion), older=(older,))
    report = judge_contest(books, CONFIG, contest)
    assert report.verdict == "keep"
    assert "slice window=reference fell: 70.0 % against 100.0 % on 200 rows" in report.reason
    assert uses(books.ledger, "mood", np.array(OLD, np.uint64)).tolist() == [1] * 200


def test_a_row_of_several_snapshots_counts_once(books: Books, made: Made):
    """Champion and pinned version may share rows, with each other and with the challenger's snapshot."""
    champion, pinned = (made.version(n, made.snapshot([*NEW, *OLD])) for n in (1, 3))
    older = OlderRows(
        challenger=made.scores([*OLD, *NEW]),
        incumbent=made.scores([*OLD, *NEW]),
        anchor=made.scores([*OLD, *NEW]),
    )
    contest = _won(
        made, _occasion(made, champion), pinned=pinned, anchor=made.scores(NEW), older=(older, older)
    )
    report = judge_contest(books, CONFIG, contest)
    assert {test.name: test.rows for test in report.slices} == {
        "source=rows": 400,
        "window=reference": 200,
        "anchor": 400,
    }


def test_training_rows_of_the_challenger_are_no_older_rows(books: Books, made: Made):
    """What the champion held out and the challenger learned from is left out."""
    champion = made.version(1, made.snapshot([*NEW, *TRAINED]))
    rows = [*NEW, *TRAINED]
    older = OlderRows(challenger=made.scores(rows), incumbent=made.scores(rows))
    contest = _won(made, _occasion(made, champion), older=(older,))
    assert {test.rows for test in judge_contest(books, CONFIG, contest).slices} == {200}


def test_a_first_version_is_compared_with_its_baselines(books: Books, made: Made):
    """One that answers as well as the version keeps it from becoming champion."""
    report = judge_contest(
        books, CONFIG, Contest(occasion=_occasion(made, None), challenger=made.scores(NEW))
    )
    assert report.verdict == "keep"
    assert [test.name for test in report.baselines] == ["majority"]


def test_older_rows_are_those_that_the_challenger_lacks(made: Made):
    """A champion that holds out more than the challenger does is asked on its own rows too."""
    wide, same = made.version(1, made.snapshot([*NEW, *OLD])), made.version(1, made.snapshot(NEW))
    assert older_rows(CONFIG, _occasion(made, wide), None) == (wide.snapshot,)
    assert older_rows(CONFIG, _occasion(made, same), None) == ()
    assert older_rows(CONFIG, _occasion(made, wide, test=[*NEW, *OLD]), None) == ()


def test_the_pinned_version_brings_its_rows(made: Made):
    """What it holds out stays judged when a champion between has forgotten it; each row is asked once."""
    occasion = _occasion(made, made.version(2, made.snapshot(NEW)))
    wide = made.version(1, made.snapshot([*NEW, *OLD]))
    assert older_rows(CONFIG, occasion, wide) == (wide.snapshot,)
    assert older_rows(CONFIG, _occasion(made, wide), wide) == (wide.snapshot,)


def test_a_first_version_has_no_older_rows(made: Made):
    """It is compared with baselines, which know its own rows only."""
    wide = made.version(1, made.snapshot([*NEW, *OLD]))
    assert older_rows(CONFIG, _occasion(made, None), wide) == ()


def test_rows_of_other_labels_are_no_older_rows(made: Made):
    """An agent that gave a label up can not be scored where that label is the truth."""
    former = CONFIG.model_copy(update={"labels": ("bad", "good", "odd")})
    champion = made.version(1, made.snapshot([*NEW, *OLD]), former)
    assert older_rows(CONFIG, _occasion(made, champion), None) == ()
