"""The pictures as files of their own, and Markdown for Prefect."""

from xml.etree import ElementTree

from tasks.io.report import Story, as_markdown, pictures


def test_pictures_are_well_formed_svg_files(story: Story):
    """Every picture parses as XML and is an SVG with its own background and fonts."""
    files = pictures(story)
    assert "sentiment/retrain-2/metrics.svg" in files
    assert "address/history.svg" in files
    for content in files.values():
        root = ElementTree.fromstring(content)  # noqa: S314 - our own drawing
        assert root.tag.endswith("svg")
        assert b"var(--" not in content


def test_pictures_are_the_same_each_time(story: Story):
    """The same story gives the same files, byte by byte."""
    short = story.model_copy(update={"agents": story.agents[1:]})
    assert pictures(short) == pictures(short)


def test_markdown_tells_agents_scores_and_reasons(story: Story):
    """The short version has a row an agent and the reasons."""
    text = as_markdown(story)
    assert "| sentiment | version 2 | accuracy | 0.760 (0.724 to 0.796) | promoted |" in text
    assert "- sentiment, retrain: Better on the current window." in text


def test_markdown_escapes_what_users_wrote(story: Story):
    """Pipes, stars and tags in a reason stay text."""
    first = story.agents[0]
    decision = first.rounds[-1].decision
    assert decision
    turn = first.rounds[-1].model_copy(
        update={"decision": decision.model_copy(update={"reason": "<b>a|b* [x](y)"})}
    )
    text = as_markdown(story.model_copy(update={"agents": (first.model_copy(update={"rounds": (turn,)}),)}))
    assert r"&lt;b&gt;a\|b\* \[x\](y)" in text


def test_markdown_of_an_empty_story_is_one_line(story: Story):
    """Nothing to tell is told in one heading."""
    assert as_markdown(Story(made_at=story.made_at)) == "# Nothing ran yet.\n"
