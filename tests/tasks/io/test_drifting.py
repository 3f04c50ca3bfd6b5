"""What a look at a new window leads to: nothing, a drift check, or a challenger without one."""

from pathlib import Path

import pytest

from models.schemas import AgentConfig, DatasetSnapshot, DriftReport, SourceConfig
from tasks.io.champion import Champion
from tasks.io.code_digest import code_digest
from tasks.io.digests import digest_of
from tasks.io.drifting import Rows, count_rows, reason_to_keep
from tasks.io.snapshots import ingest


def _snapshot(folder: Path, rows: range) -> tuple[AgentConfig, DatasetSnapshot]:
    lines = [f"text number {n},{'pos' if n % 2 else 'neg'}" for n in rows]
    path = folder / f"{rows.start}.csv"
    path.write_text("\n".join(["text,label", *lines]))
    config = AgentConfig(
        name="small",
        adapter="text_classification",
        labels=("neg", "pos"),
        sources=(SourceConfig(address=str(path)),),
    )
    return config, ingest(config, folder / "home")


def _report(drifted: bool) -> DriftReport:
    return DriftReport(
        agent="small", drifted=drifted, reason="what was found", reference_rows=40, current_rows=40,
        alpha=0.01, tests=(), reference_shares={}, current_shares={},
    )  # fmt: skip


def test_rows_of_both_windows_are_counted(tmp_path: Path):
    """New are the rows that the champion's snapshot lacks; the reference is what it held out."""
    config, known = _snapshot(tmp_path, range(60))
    _, window = _snapshot(tmp_path, range(50, 90))
    champion = Champion(
        agent="small", version=1, run_id="r", model=known.artifact, snapshot=known, config=config
    )
    held_out = known.split_counts["validation"] + known.split_counts["test"]
    assert count_rows(config, champion, window) == Rows(new=30, reference=held_out)


def test_the_champion_is_not_trained_over_again(tmp_path: Path):
    """Without new rows, the same description and code have nothing to learn; another of either has."""
    config, known = _snapshot(tmp_path, range(60))
    code = digest_of(code_digest("tasks.fine_tune").modules)
    champion = Champion(
        agent="small", version=1, run_id="r", model=known.artifact, snapshot=known, config=config, code=code
    )
    longer = config.model_copy(update={"epochs": 9})
    moved = config.model_copy(update={"sources": (SourceConfig(address="elsewhere.csv"),), "alpha": 0.01})
    older = champion.model_copy(update={"code": "other"})
    assert count_rows(config, champion, known).nothing_to_learn
    assert count_rows(moved, champion, known).nothing_to_learn
    assert not count_rows(longer, champion, known).nothing_to_learn
    assert not count_rows(config, older, known).nothing_to_learn


@pytest.mark.parametrize(("new", "reference", "enough"), [(20, 20, True), (19, 500, False), (500, 19, False)])
def test_a_check_needs_rows_on_both_sides(new: int, reference: int, enough: bool):
    """Twenty rows of each window are enough for a drift check, fewer of either are not."""
    assert Rows(new=new, reference=reference).enough is enough


def test_few_new_rows_keep_the_champion():
    """Too few new rows to check for drift are a reason to wait, and it says how many would do."""
    reason = reason_to_keep(1, Rows(new=19, reference=18), None)
    assert reason == "19 new rows since version 1 was trained; a drift check needs 20"


def test_a_small_champion_does_not_keep_itself():
    """Where the champion's held-out rows are too few for a check, enough new rows bring a challenger."""
    assert reason_to_keep(1, Rows(new=500, reference=18), None) is None


def test_a_challenger_without_a_check_is_explained():
    """What is said of the missing check names the window that is too small."""
    assert Rows(new=500, reference=18).unchecked == (
        "Drift was not checked: that needs 20 rows of each window, "
        "and there are 18 held-out and 500 new ones."
    )


@pytest.mark.parametrize(("drifted", "reason"), [(True, None), (False, "what was found")])
def test_a_check_decides_where_there_is_one(drifted: bool, reason: str | None):
    """Drift brings a challenger; where none was found, that is the reason to keep the champion."""
    assert reason_to_keep(1, Rows(new=40, reference=40), _report(drifted)) == reason
