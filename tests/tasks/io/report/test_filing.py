"""Where a report is kept in MLflow."""

from pathlib import Path

import pytest

from models.schemas import PromotionDecision
from tasks.io.books import Books
from tasks.io.report import Round, Story
from tasks.io.report.filing import file_report
from tasks.io.tracking import open_run

# MLflow 3.17.2 uses what SQLAlchemy 2.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")


def _filed(books: Books, story: Story, version: int | None, champion: int | None) -> list[str]:
    """File the report of one round; list what version 1's run holds then."""
    agent = story.agents[0]
    books.client.create_registered_model(agent.config.name)
    run = open_run(books, agent.config.name, "1", {}).run_id
    books.client.create_model_version(agent.config.name, str(books.scratch), run_id=run)
    decision = PromotionDecision(
        agent=agent.config.name, verdict="kept", champion=champion, challenger=version, reason="no drift"
    )
    turn = Round(flow="retrain", version=version, decision=decision)
    told = story.model_copy(update={"agents": (agent.model_copy(update={"rounds": (turn,)}),)})
    page = books.scratch / "page.html"
    page.write_text("page")
    file_report(books, told, page)
    files = [Path(f.path) for f in books.client.list_artifacts(run, "report")]
    below = [Path(f.path) for f in books.client.list_artifacts(run, "report/kept")]
    return [str(path.relative_to("report")) for path in (*files, *below)]


def test_a_challengers_report_lies_with_the_challenger(books: Books, story: Story):
    """A version that was judged, promoted or not, has page and pictures in its own run."""
    assert _filed(books, story, 1, None) == ["history.svg", "page.html"]


def test_a_report_without_a_challenger_lies_with_the_champion(books: Books, story: Story):
    """Where nothing was trained, the champion's run has the report, and keeps the one of its own making."""
    assert _filed(books, story, None, 1) == ["kept", "kept/history.svg", "kept/page.html"]


def test_a_report_of_no_version_lies_nowhere(books: Books, story: Story):
    """Without version and champion there is no run to file it with."""
    assert _filed(books, story, None, None) == []
