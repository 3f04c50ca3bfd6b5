"""The page: whole, closed, escaped, the same for the same story, and sensible with parts missing."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from models.schemas import AgentConfig
from tasks.io.report import AgentStory, Round, Story, render, write_report

VOID = {"meta", "br", "link", "img", "hr", "input"}
EVIL = '<script>alert("x")</script>'


class Checker(HTMLParser):
    """Reads HTML strictly: every tag closed in order; keeps ids, classes, titles and references."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: dict[str, list[str]] = {"id": [], "class": [], "href": [], "src": [], "tag": []}
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag and its attributes."""
        self.seen["tag"].append(tag)
        for name, value in attrs:
            if name in self.seen:
                self.seen[name].append(value or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag that closes itself."""
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost tag."""
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        """Gather the text."""
        self.text += data


def read(story: Story) -> Checker:
    """Render a story and read it back."""
    return parsed(render(story))


def parsed(page: str) -> Checker:
    """Read a page."""
    checker = Checker()
    checker.feed(page)
    checker.close()
    assert checker.open == []
    return checker


@pytest.fixture(scope="module")
def page(story: Story) -> str:
    """Give the full story's page."""
    return render(story)


@pytest.fixture(scope="module")
def checked(page: str) -> Checker:
    """Give the full story's page, read back."""
    return parsed(page)


def changed(story: Story, **turn: object) -> Story:
    """Give the first agent's last round alone, with other values: a page that is quick to draw."""
    last = story.agents[0].rounds[-1].model_copy(update=turn)
    agent = story.agents[0].model_copy(update={"rounds": (last,)})
    return story.model_copy(update={"agents": (agent,)})


def test_page_is_written_where_asked(story: Story, tmp_path: Path):
    """The report is written into a folder that is made, and its path comes back."""
    empty = Story(made_at=story.made_at)
    path = write_report(empty, tmp_path / "new" / "report.html")
    assert path == tmp_path / "new" / "report.html"
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_page_is_well_formed(checked: Checker):
    """Every tag is closed in order."""
    assert checked.seen["tag"].count("html") == 1


def test_page_needs_nothing_from_elsewhere(page: str, checked: Checker):
    """No reference leads out of the file, and nothing is imported or fetched."""
    assert all(target.startswith("#") for target in checked.seen["href"] + checked.seen["src"])
    assert not re.search(r"@import|url\((?!#)|<script|<link|https?://", page)


def test_every_reference_has_its_target(page: str, checked: Checker):
    """Each #id that is used exists exactly once where ids are our own."""
    used = {h.removeprefix("#") for h in checked.seen["href"]} | set(re.findall(r"url\(#([^)]+)\)", page))
    assert used <= set(checked.seen["id"])
    assert len(checked.seen["id"]) == len(set(checked.seen["id"]))


@pytest.mark.parametrize(
    "picture",
    [
        "metrics", "gate", "drift", "shares", "confusion", "reliability", "slices", "robustness", "learning",
        "data", "guardrails", "history",
    ],
)  # fmt: skip
def test_every_picture_is_there(checked: Checker, picture: str):
    """The full story shows each kind of picture."""
    assert picture in checked.seen["class"]


@pytest.mark.parametrize("section", ["summary", "loop", "agent-sentiment", "agent-address"])
def test_every_section_is_there(checked: Checker, section: str):
    """The full story has each section."""
    assert section in checked.seen["id"]


def test_summary_says_it_in_plain_words(checked: Checker):
    """The top tells who was promoted over whom, with scores, rows and p-value."""
    assert (
        "Version 2 promoted over version 1: accuracy 0.710 → 0.760 on 555 new rows (p = 0.003)."
        in checked.text
    )


def test_steps_tell_why_the_cache_hit_or_missed(checked: Checker):
    """Each step's reason stands on the page."""
    assert "content, config and code are the same" in checked.text
    assert "models/adapters/text.py changed" in checked.text


def test_same_story_gives_the_same_bytes(story: Story):
    """Rendering twice gives identical pages."""
    short = changed(story)
    assert render(short) == render(short)


def test_page_is_small(page: str):
    """Two agents take under 1.5 MB."""
    assert len(page.encode()) < 1_500_000


def test_what_training_could_not_use_is_counted(story: Story, checked: Checker):
    """Words or rows that became no sub-words stand among the numbers."""
    assert "word without sub-words" in read(changed(story, unusable={"word without sub-words": 1234})).text
    assert "Not usable in training" not in checked.text


def test_text_from_users_is_escaped(story: Story):
    """Markup in labels, reasons and names of sources arrives as text everywhere."""
    evaluation = story.agents[0].rounds[-1].evaluation
    gate = story.agents[0].rounds[-1].gate
    drift = story.agents[0].rounds[-1].drift
    snapshot = story.agents[0].rounds[-1].snapshots[-1]
    assert evaluation
    assert gate
    assert drift
    told = changed(
        story,
        flow=EVIL,
        evaluation=evaluation.model_copy(
            update={
                "confusion_labels": (EVIL, "b", "c"),
                "slices": tuple(s.model_copy(update={"name": f"label={EVIL}"}) for s in evaluation.slices),
                "per_label": {EVIL: {"f1": 0.5}},
                "baselines": {EVIL: evaluation.metrics["accuracy"]},
            }
        ),
        gate=gate.model_copy(update={"reason": EVIL, "too_small": {EVIL: 3}}),
        drift=drift.model_copy(update={"current_shares": {EVIL: 1.0}, "reason": EVIL}),
        snapshots=(snapshot.model_copy(update={"reasons": {EVIL: 4}, "label_counts": {EVIL: 9}}),),
    )
    told = told.model_copy(update={"title": EVIL})
    html = render(told)
    assert "<script" not in html
    assert "&lt;script" in html


def test_dollars_are_not_read_as_mathematics(story: Story):
    """Labels with dollar signs and backslashes are drawn as they are."""
    evaluation = story.agents[0].rounds[-1].evaluation
    assert evaluation
    labels = (r"$\frac{$", "$x$", "plain")
    html = render(changed(story, evaluation=evaluation.model_copy(update={"confusion_labels": labels})))
    assert r"$\frac{$" in html


def test_labels_in_any_script_are_drawn(story: Story):
    """A label that this machine has no font for draws no warning and keeps its text."""
    evaluation = story.agents[0].rounds[-1].evaluation
    assert evaluation
    labels = ("良い", "हिन्दी", "عربي")
    html = render(changed(story, evaluation=evaluation.model_copy(update={"confusion_labels": labels})))
    assert "良い" in html


def test_empty_story_still_makes_a_page(story: Story):
    """A story without agents says that nothing ran."""
    assert "Nothing ran yet." in read(Story(made_at=story.made_at)).text


def test_agent_without_rounds_still_has_a_section(story: Story):
    """An agent that never ran is listed with a plain sentence."""
    agent = AgentStory(config=story.agents[0].config)
    assert "Nothing ran for this agent yet." in read(Story(made_at=story.made_at, agents=(agent,))).text


def test_round_without_records_still_has_a_section(story: Story):
    """A round with nothing in it says that there is no result yet."""
    agent = AgentStory(config=story.agents[0].config, rounds=(Round(flow="train"),))
    checked = read(Story(made_at=story.made_at, agents=(agent,)))
    assert "Train has no result yet." in checked.text
    assert "figure" not in checked.seen["tag"]


@pytest.mark.parametrize(
    ("field", "gone"),
    [
        ("training", "learning"),
        ("evaluation", "confusion"),
        ("drift", "drift"),
        ("gate", "guardrails"),
    ],
)
def test_missing_record_leaves_its_picture_out(story: Story, field: str, gone: str):
    """Without a record the page stands, and its picture is not in the newest round."""
    assert gone not in read(changed(story, **{field: None})).seen["class"]


def test_kept_champion_keeps_its_own_score_on_top(story: Story):
    """Where the challenger was refused, the card shows the champion's score, not the challenger's."""
    decision = story.agents[0].rounds[-1].decision
    assert decision
    kept = decision.model_copy(update={"verdict": "kept", "champion": 1, "challenger": 2, "previous": None})
    agent = changed(story, decision=kept).agents[0].model_copy(update={"moves": story.agents[0].moves[:1]})
    html = render(story.model_copy(update={"agents": (agent,)}))
    assert '<p class="score">0.710<small>' in html


def test_newest_round_without_scores_opens_the_one_before(story: Story):
    """A retraining that found nothing new leaves the earlier round's pictures unfolded."""
    first = story.agents[0]
    agent = first.model_copy(update={"rounds": (first.rounds[0], Round(flow="retrain"))})
    assert '<details class="round" open>' in render(story.model_copy(update={"agents": (agent,)}))


def test_names_with_other_adapters_fit_the_page(story: Story):
    """The longest agent name that a config takes is on the page in full."""
    config = story.agents[0].config
    named = AgentConfig.model_validate({**config.model_dump(), "name": "a" * 63})
    assert "a" * 63 in read(Story(made_at=story.made_at, agents=(AgentStory(config=named),))).text
