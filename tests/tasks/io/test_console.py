"""Terminal tables: what they say, at 80 columns, with text from users left as it is."""

from datetime import UTC, datetime
from io import StringIO
from types import SimpleNamespace

import pyarrow as pa
import pytest
from rich.console import Console, RenderableType

from models.schemas import AgentConfig, GateReport, Metric, Move, PromotionDecision, SourceConfig
from tasks.io.console import history_table, prediction_table, status_table, summary_table
from tasks.io.report import AgentStory, Link, Round, Story

AT = datetime(2026, 11, 27, 9, 30, tzinfo=UTC)


def shown(renderable: RenderableType, width: int = 80) -> str:
    """Print without colours at a width."""
    stream = StringIO()
    Console(file=stream, width=width, color_system=None).print(renderable)
    return stream.getvalue()


def move(number: int, state: str = "done", reason: str = "better on 555 rows") -> Move:
    """Make a line of the ledger."""
    return Move.model_validate(
        {
            "id": number, "agent": "sentiment", "from_version": number - 1 or None, "to_version": number,
            "actor": "ana", "reason": reason, "kind": "promotion", "state": state, "at": AT,
        }
    )  # fmt: skip


@pytest.fixture
def story() -> Story:
    """Tell of one agent that was trained."""
    config = AgentConfig(
        name="sentiment",
        adapter="text_classification",
        labels=("a", "b"),
        sources=(SourceConfig(address="x"),),
    )
    decision = PromotionDecision(
        agent="sentiment", verdict="promoted", champion=1, challenger=1, reason="beats every baseline [red]"
    )
    agent = AgentStory(config=config, rounds=(Round(flow="train", version=1, decision=decision),))
    return Story(made_at=AT, agents=(agent,), links=(Link(name="report", target="/home/ana/report.html"),))


def test_summary_names_agent_version_verdict_and_paths(story: Story):
    """The end of a run shows who, which version, how it ended and where to look."""
    text = shown(summary_table(story))
    for part in ("sentiment", "train", "v1", "promoted", "/home/ana/report.html", "beats every baseline"):
        assert part in text


def test_summary_shows_the_score_with_its_interval(story: Story):
    """A scored round shows metric, interval and rows."""
    score = Metric(value=0.76, low=0.724, high=0.796, rows=1555)
    report = SimpleNamespace(primary="macro_f1", metrics={"macro_f1": score})
    turn = story.agents[0].rounds[0].model_copy(update={"evaluation": report})
    agent = story.agents[0].model_copy(update={"rounds": (turn,)})
    text = shown(summary_table(story.model_copy(update={"agents": (agent,)})))
    assert "macro F1 0.760 0.724 to 0.796" in text
    assert "1,555" in text


def test_markup_in_a_reason_stays_text(story: Story):
    """Square brackets are shown, not obeyed."""
    assert "[red]" in shown(summary_table(story))
    assert "[/red]" in shown(history_table([move(1, reason="odd [/red] reason")]))


def test_history_is_newest_first_and_marks_what_was_undone():
    """The last move stands on top, and a move that was undone says so."""
    text = shown(history_table([move(1), move(2, state="undone")]), width=100)
    assert text.index("v2") < text.index("none")
    assert "promotion (undone)" in text


def test_status_shows_champion_and_last_verdict():
    """An agent's line has its champion by the moves that were done, and the gate's last word."""
    report = GateReport(verdict="not_enough_data", reason="needs 900 rows", rows=40)
    judged = SimpleNamespace(challenger=2, report=report)
    text = shown(status_table({"sentiment": ([move(1), move(2, "intent")], [judged]), "new": ([], [])}))
    assert "v1" in text
    assert "v2: not enough data" in text
    assert "never judged" in text


def test_predictions_of_labels_show_text_label_and_confidence():
    """A classified text has its label and how sure the agent is."""
    table = pa.table({"label": ["positive"], "confidence": [0.93]})
    line = shown(prediction_table(["what a [bold] film"], table)).splitlines()[-1]
    assert "what a [bold] film" in line
    assert "positive" in line
    assert "0.93" in line


def test_predictions_of_tags_show_entities():
    """Tagged tokens are joined into entities, neighbours of one type kept apart."""
    table = pa.table({"tags": [["B-Number", "B-Street", "I-Street", "O", "B-Street"]], "confidence": [0.5]})
    text = shown(prediction_table(["12 Long Lane , Elm"], table))
    assert "Number 12" in text
    assert "Street Long Lane" in text
    assert "Street Elm" in text


def test_tags_that_do_not_fit_the_words_are_shown_as_they_are():
    """Where tokens are unknown, the tags themselves are shown."""
    table = pa.table({"tags": [["O", "B-X"]], "confidence": [0.5]})
    assert "O B-X" in shown(prediction_table(["one,two,three"], table))


def test_tables_fit_eighty_columns(story: Story):
    """No line is longer than the terminal, even with long words."""
    renderables = [
        summary_table(story),
        history_table([move(1, reason="w" * 200)]),
        prediction_table(["t" * 200], pa.table({"label": ["l" * 60], "confidence": [1.0]})),
    ]
    assert all(len(line) <= 80 for r in renderables for line in shown(r).splitlines())
