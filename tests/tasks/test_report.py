"""Where a report is kept."""

from models.schemas import PromotionDecision
from tasks.io.report import Round
from tasks.report import reported_with


def _round(version: int | None, champion: int | None) -> Round:
    decision = PromotionDecision(
        agent="a", verdict="kept", champion=champion, challenger=version, reason="no drift"
    )
    return Round(flow="retrain", version=version, decision=decision)


def test_a_challengers_report_lies_with_the_challenger():
    """A version that was judged, promoted or not, has the report in its own run."""
    assert reported_with(_round(2, 1)) == (2, "")


def test_a_report_without_a_challenger_lies_with_the_champion():
    """Where nothing was trained, the champion's run has the report, which replaces none of its own."""
    assert reported_with(_round(None, 1)) == (1, "kept/")


def test_a_report_of_no_version_lies_nowhere():
    """Without version and champion there is no run to log to."""
    assert reported_with(Round(flow="train"))[0] is None
