"""Numbers and outcomes in plain English."""

import pytest

from models.schemas import PromotionDecision
from tasks.io.report import AgentStory, Story
from tasks.io.report.words import (
    agent_sentence,
    count,
    headline,
    metric_name,
    outcome,
    p_value,
    points,
    seconds,
    sentence,
    shorten,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.6, "1 min 00 s"),
        (200, "3 min 20 s"),
        (3900, "1 h 05 min"),
    ],
)
def test_durations_read_well(value: float, text: str):
    """A duration is written with the units a person would use."""
    assert seconds(value) == text


@pytest.mark.parametrize(
    ("p", "text"), [(0.0004, "p < 0.001"), (0.003, "p = 0.003"), (0.25, "p = 0.25"), (1.0, "p = 1.00")]
)
def test_p_values_read_well(p: float, text: str):
    """A p-value never reads as zero."""
    assert p_value(p) == text


@pytest.mark.parametrize(("difference", "text"), [(0.0466, "+4.7"), (-0.02, "\u22122.0"), (0.00001, "±0.0")])
def test_points_carry_their_sign(difference: float, text: str):
    """A difference has its sign, and nothing has none."""
    assert points(difference) == text


def test_metric_names_are_for_people():
    """Underscores go, and abbreviations get their capitals."""
    assert metric_name("tfidf_logistic_regression") == "TF-IDF logistic regression"
    assert metric_name("macro_f1") == "macro F1"


def test_counts_agree_with_their_noun():
    """One row, two rows, two entries."""
    assert [count(1, "row"), count(2000, "row"), count(2, "entry")] == ["1 row", "2,000 rows", "2 entries"]


def test_shorten_keeps_within_the_limit_and_drops_control_characters():
    """A cut text ends with an ellipsis and never holds what SVG can not."""
    assert shorten("abc\x00def", 10) == "abcdef"
    assert shorten("a" * 30, 10) == "a" * 9 + "…"


def test_sentence_adds_capital_and_stop_once():
    """A sentence that ends stays as it is."""
    assert [sentence("it ran"), sentence("It ran."), sentence("")] == ["It ran.", "It ran.", ""]


@pytest.mark.parametrize(
    ("verdict", "champion", "challenger", "previous", "text"),
    [
        ("promoted", 2, 2, 1, "version 2 promoted over version 1"),
        ("promoted", 1, 1, None, "version 1 is the first champion"),
        ("kept", 1, 2, None, "version 1 stays champion, version 2 did not replace it"),
        ("kept", 1, None, None, "version 1 stays champion"),
        ("not_enough_data", None, 1, None, "no champion yet (not enough data)"),
        ("already_decided", 3, 3, None, "version 3 stays champion, nothing new to decide"),
    ],
)
def test_every_outcome_has_its_words(
    verdict: str, champion: int | None, challenger: int | None, previous: int | None, text: str
):
    """Each verdict is said in words that fit the versions it names."""
    decision = PromotionDecision.model_validate(
        {
            "agent": "a", "verdict": verdict, "champion": champion, "challenger": challenger,
            "previous": previous, "reason": "",
        }
    )  # fmt: skip
    assert outcome(decision) == text


def test_agent_sentence_names_agent_versions_scores_and_rows(story: Story):
    """The sentence of a retrained agent has everything that a reader asks first."""
    assert agent_sentence(story.agents[0]) == (
        "sentiment: version 2 promoted over version 1: accuracy 0.710 → 0.760 on 555 new rows (p = 0.003)"
    )


def test_headline_names_few_agents_and_counts_many(story: Story):
    """Up to three agents are named; more are counted."""
    assert headline(story) == "sentiment moved to version 2; address has its first champion"
    many = story.model_copy(update={"agents": story.agents * 3})
    assert headline(many) == "6 agents, 6 with a new champion"


def test_champion_comes_from_the_ledger_before_the_decision(story: Story):
    """A move after the last decision wins."""
    first = story.agents[0]
    back = first.moves[-1].model_copy(update={"id": 9, "to_version": 1, "kind": "rollback"})
    assert first.model_copy(update={"moves": (*first.moves, back)}).champion == 1
    assert AgentStory(config=first.config, rounds=first.rounds).champion == 2
