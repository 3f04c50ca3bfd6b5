"""What a verdict rested on is kept with its version, and told again by a later run."""

import pytest

from tasks.io.books import Books
from tasks.io.champion import Champion
from tasks.io.ledger import IntentRequest, close_intent, open_intent
from tasks.io.report import Round, Story
from tasks.io.report.evidence import keep_evidence, recall_round
from tasks.io.tracking import log_record, open_run

# MLflow 3.17.2 uses what SQLAlchemy 2.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")


@pytest.fixture
def turn(story: Story) -> Round:
    """Give a retraining whose challenger, version 2, was promoted."""
    return story.agents[0].rounds[1]


@pytest.fixture
def champion(books: Books, story: Story, turn: Round) -> Champion:
    """Register two versions with their records; the second is champion."""
    agent = story.agents[0].config
    books.client.create_registered_model(agent.name)
    for version in (1, 2):
        run = open_run(books, agent.name, str(version), {}).run_id
        books.client.create_model_version(agent.name, str(books.scratch), run_id=run)
        for name, record in (("training", turn.training), ("evaluation", turn.evaluation)):
            assert record is not None
            log_record(books, run, f"{name}.json", record)
        wanted = IntentRequest(agent.name, version, version - 1 or None, f"reason {version}", "gate")
        close_intent(books.ledger, open_intent(books.ledger, wanted).id, "done")
    snapshot = turn.snapshots[0]
    return Champion(
        agent=agent.name, version=2, run_id=run, model=snapshot.artifact, snapshot=snapshot, config=agent
    )


def test_a_champion_is_told_of_again_in_full(books: Books, champion: Champion, turn: Round):
    """The round that made a champion comes back with every record that the page draws."""
    keep_evidence(books, champion.agent, turn)
    told = recall_round(books, champion)
    fields = (
        "version", "snapshots", "training", "evaluation", "champion_evaluation", "drift", "gate"
    )  # fmt: skip
    assert {name: getattr(told, name) for name in fields} == {name: getattr(turn, name) for name in fields}


def test_a_champion_told_of_again_is_nothing_new(books: Books, champion: Champion):
    """The verdict says that there was nothing to decide, whom it had replaced, and why."""
    decision = recall_round(books, champion).decision
    assert decision
    assert (decision.verdict, decision.champion, decision.previous) == ("already_decided", 2, 1)
    assert decision.reason == "No new rows since version 2 was trained. It became champion because: reason 2"


def test_a_champion_without_evidence_is_told_of_by_its_run(books: Books, champion: Champion, turn: Round):
    """A version that was never judged still shows its data, its training and its scores."""
    told = recall_round(books, champion)
    assert (told.snapshots, told.training, told.evaluation) == (
        (champion.snapshot,), turn.training, turn.evaluation
    )  # fmt: skip
    assert told.gate is None


def test_a_verdict_found_again_brings_its_evidence_back(books: Books, champion: Champion, turn: Round):
    """A repeated run, which neither checks drift nor scores the champion again, shows both."""
    keep_evidence(books, champion.agent, turn)
    again = turn.model_copy(update={"drift": None, "champion_evaluation": None})
    assert keep_evidence(books, champion.agent, again) == turn


def test_another_verdict_replaces_the_evidence(books: Books, champion: Champion, turn: Round):
    """What is kept belongs to the last verdict on a version."""
    keep_evidence(books, champion.agent, turn)
    assert turn.gate
    other = turn.model_copy(update={"gate": turn.gate.model_copy(update={"verdict": "keep"}), "drift": None})
    assert keep_evidence(books, champion.agent, other).drift is None
    assert recall_round(books, champion).gate == other.gate


def test_evidence_is_not_lost_to_a_run_that_judged_nothing(books: Books, champion: Champion, turn: Round):
    """A later run that judged nothing gets the verdict back and leaves it stored."""
    keep_evidence(books, champion.agent, turn)
    again = keep_evidence(books, champion.agent, turn.model_copy(update={"gate": None}))
    assert again.gate == turn.gate
    assert recall_round(books, champion).gate == turn.gate
