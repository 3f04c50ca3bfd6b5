"""Edges of the pictures: few and many labels, flat data, nothing to show."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from models.schemas import Move, ReliabilityBin, TrainingReport
from tasks.io.report import Story, plots
from tasks.io.report.canvas import style, svg


@pytest.fixture(autouse=True)
def _ink() -> Iterator[None]:
    with style():
        yield


def test_nothing_to_show_is_no_picture():
    """Each plot answers None to a missing record."""
    drawn = [
        plots.draw_learning(None, "F1"), plots.draw_confusion(None), plots.draw_reliability(None),
        plots.draw_slices(None), plots.draw_data(None), plots.draw_windows(None), plots.draw_shares(None),
        plots.draw_gate(None), plots.draw_guardrails(None), plots.draw_history((), datetime.now(UTC)),
    ]  # fmt: skip
    assert drawn == [None] * len(drawn)


@pytest.mark.parametrize("size", [2, 3, 7, 8, 25, 77])
def test_confusion_is_drawn_for_any_number_of_labels(story: Story, size: int):
    """Two to 77 labels give a picture with every cell inside it."""
    evaluation = story.agents[0].rounds[0].evaluation
    assert evaluation
    matrix = tuple(tuple(9 if i == j else int(abs(i - j) == 1) for j in range(size)) for i in range(size))
    many = evaluation.model_copy(
        update={"confusion": matrix, "confusion_labels": tuple(f"label {i}" for i in range(size))}
    )
    picture = plots.draw_confusion(many)
    assert picture
    box = picture.figure.axes[0].get_position()
    assert box.x0 > 0.1
    assert box.x1 <= 1
    assert "label 0" in svg(picture)


def test_confusion_without_a_mistake_says_so(story: Story):
    """A diagonal matrix has no commonest mistake."""
    evaluation = story.agents[0].rounds[0].evaluation
    assert evaluation
    clean = evaluation.model_copy(update={"confusion": ((5, 0, 0), (0, 5, 0), (0, 0, 0))})
    picture = plots.draw_confusion(clean)
    assert picture
    assert picture.title == "No label is taken for another"


@pytest.mark.parametrize(
    "cloud", [((0.0, 0.0),) * 30, ((0.0, 1.0), (1.0, 0.0)), tuple((i, i) for i in range(40))]
)
def test_flat_windows_are_drawn_without_density(story: Story, cloud: tuple[tuple[float, float], ...]):
    """Points that lie on one spot or one line are shown as points."""
    drift = story.agents[0].rounds[-1].drift
    assert drift
    flat = drift.model_copy(update={"reference_points": cloud, "current_points": cloud})
    picture = plots.draw_windows(flat)
    assert picture
    assert not picture.figure.axes[0].collections


def test_one_evaluation_makes_a_learning_curve(story: Story):
    """A training with a single point still has its picture."""
    training: TrainingReport | None = story.agents[0].rounds[0].training
    assert training
    picture = plots.draw_learning(training.model_copy(update={"curve": training.curve[:1]}), "F1")
    assert picture
    assert "of its kind" not in svg(picture)


def test_many_slices_are_cut_to_the_largest(story: Story):
    """At most 24 slices are drawn, the largest ones."""
    evaluation = story.agents[1].rounds[0].evaluation
    assert evaluation
    slices = tuple(
        s.model_copy(update={"name": f"label={i}", "metric": s.metric.model_copy(update={"rows": i})})
        for i, s in enumerate(evaluation.slices * 3)
    )
    picture = plots.draw_slices(evaluation.model_copy(update={"slices": slices}))
    assert picture
    text = svg(picture)
    assert f"({len(slices) - 1})" in text
    assert "(0)" not in text


def test_robustness_picture_tells_what_costs_most(story: Story):
    """Its title names the perturbation that costs the largest share of the score."""
    picture = plots.draw_robustness(story.agents[0].rounds[0].evaluation)
    assert picture
    assert picture.title == "Typos cost 11.1 % of the score"
    assert all(name in svg(picture) for name in ("as they are", "casing", "typos"))


def test_no_perturbation_is_no_robustness_picture(story: Story):
    """An evaluation without perturbed rows draws nothing."""
    evaluation = story.agents[0].rounds[0].evaluation
    assert evaluation
    assert plots.draw_robustness(evaluation.model_copy(update={"robustness": ()})) is None


def test_gate_picture_tells_passed_from_failed_without_colour(story: Story):
    """A failed test has a cross and a passed one a tick."""
    gate = story.agents[0].rounds[-1].gate
    assert gate
    assert gate.superiority
    failed = gate.model_copy(update={"superiority": gate.superiority.model_copy(update={"passed": False})})
    picture = plots.draw_gate(failed)
    assert picture
    text = svg(picture)
    assert "✗ p = 0.003" in text
    assert "✓ p = 0.62" in text


def test_too_little_data_says_how_much_would_do(story: Story):
    """The verdict names the rows that are needed."""
    gate = story.agents[0].rounds[-1].gate
    assert gate
    small = gate.model_copy(update={"verdict": "not_enough_data", "needed_rows": 900, "rows": 40})
    picture = plots.draw_gate(small)
    assert picture
    assert "900 rows would do; there are 40." in picture.note


def test_a_single_sure_bin_is_a_reliability_plot(story: Story):
    """One bin is enough, and one without rows is left out."""
    evaluation = story.agents[0].rounds[0].evaluation
    assert evaluation
    bins = (
        ReliabilityBin(confidence=1, accuracy=1, rows=8),
        ReliabilityBin(confidence=0, accuracy=0, rows=0),
    )
    assert plots.draw_reliability(evaluation.model_copy(update={"reliability": bins}))


def test_undone_moves_are_not_history(story: Story):
    """Only moves that were carried out are reigns."""
    moves: tuple[Move, ...] = tuple(m.model_copy(update={"state": "undone"}) for m in story.agents[0].moves)
    assert plots.draw_history(moves, story.made_at) is None


def test_lost_champion_ends_its_reign(story: Story):
    """A move to no version leaves no champion."""
    moves = story.agents[0].moves
    gone = moves[-1].model_copy(update={"id": 3, "to_version": None, "at": moves[-1].at + timedelta(hours=1)})
    picture = plots.draw_history((*moves, gone), gone.at + timedelta(hours=1))
    assert picture
    assert picture.title == "There is no champion now, 3 moves in all"


def test_many_labels_are_reduced_to_the_most_mistaken(story: Story):
    """Of 77 labels the confused ones are drawn, and the others stand together."""
    evaluation = story.agents[0].rounds[0].evaluation
    assert evaluation
    matrix = [[9 if i == j else 0 for j in range(77)] for i in range(77)]
    matrix[70][71] = 5
    many = evaluation.model_copy(
        update={
            "confusion": tuple(tuple(line) for line in matrix),
            "confusion_labels": tuple(f"<{i}>" for i in range(77)),
        }
    )
    picture = plots.draw_confusion(many)
    assert picture
    text = svg(picture)
    assert "&lt;70&gt;" in text
    assert "48 others" in text
    assert picture.title == "Commonest mistake: 36% of “<70>” read as “<71>”"


def test_scores_that_are_no_number_are_survived(story: Story):
    """A metric that could not be computed leaves the other rows readable."""
    turn = story.agents[0].rounds[0]
    assert turn.evaluation
    nothing = turn.evaluation.metrics["macro_f1"].model_copy(
        update={"value": float("nan"), "low": float("nan"), "high": float("nan")}
    )
    metrics = {**turn.evaluation.metrics, "macro_f1": nothing}
    broken = turn.model_copy(update={"evaluation": turn.evaluation.model_copy(update={"metrics": metrics})})
    picture = plots.draw_metrics(broken)
    assert picture
    assert "nan" in svg(picture)
