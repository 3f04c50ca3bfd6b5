"""The picture of the loop: what was done is told from what was not."""

from pathlib import Path
from xml.etree import ElementTree

from tasks.io.report import Round, Step, Story
from tasks.io.report.loop import NODES, nodes_of
from tasks.io.report.loop_picture import LYING, STANDING, draw_loop


def test_stages_take_the_state_of_their_steps(story: Story):
    """What ran is filled, what was left out is not."""
    nodes = nodes_of(story)
    assert nodes["fine-tune"].state == "ran"
    assert nodes["drift check"].caption == "3.3 s"
    assert nodes["feedback"].state == "idle"
    assert nodes["meta-train"].state == "optional"
    assert nodes["champion"].caption == "2 agents"


def test_stage_served_only_from_the_cache_says_so(story: Story):
    """A stage whose every step hit is marked as cached."""
    turn = Round(flow="train", steps=(Step(name="ingest", seconds=0.1, cache="hit"),))
    told = story.model_copy(update={"agents": (story.agents[1].model_copy(update={"rounds": (turn,)}),)})
    assert nodes_of(told)["ingest"].state == "cached"


def test_steps_are_known_by_the_names_that_flows_give_them(story: Story):
    """pretrain, meta_train and fine_tune are three stages; judge is the gate."""
    names = ("pretrain", "meta_train", "fine_tune", "judge", "check_drift")
    turn = Round(flow="train", steps=tuple(Step(name=n, seconds=1) for n in names))
    told = story.model_copy(update={"agents": (story.agents[1].model_copy(update={"rounds": (turn,)}),)})
    ran = {n for n, node in nodes_of(told).items() if node.caption == "1.0 s"}
    assert ran == {"pretrain", "meta-train", "fine-tune", "gate", "drift check"}


def test_both_layouts_hold_every_stage(story: Story):
    """Lying or standing, each stage is drawn once, inside the picture."""
    for shape in (LYING, STANDING):
        root = ElementTree.fromstring(draw_loop(nodes_of(story), shape))  # noqa: S314 - our own drawing
        names = [t.text for t in root.iter("text") if t.get("class") == "name"]
        assert sorted(n or "" for n in names) == sorted(NODES)
        for box in root.iter("rect"):
            assert float(box.get("x", 0)) + float(box.get("width", 0)) <= shape.size[0]
            assert float(box.get("y", 0)) + float(box.get("height", 0)) <= shape.size[1]


def test_readme_picture_is_the_one_the_script_makes():
    """docs/loop.svg is what docs/draw_loop.py writes."""
    from docs.draw_loop import readme_loop

    assert Path("docs/loop.svg").read_text(encoding="utf-8") == readme_loop()
