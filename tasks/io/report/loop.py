"""The loop's stages, and which of them a story went through."""

from dataclasses import dataclass
from typing import Literal

from tasks.io.report.story import Round, Story
from tasks.io.report.words import seconds

State = Literal["ran", "cached", "idle", "optional"]

FIRST = (
    "sources",
    "ingest",
    "preprocess",
    "pretrain",
    "meta-train",
    "fine-tune",
    "evaluate",
    "register",
    "gate",
)
SECOND = {"promote": 8, "champion": 7, "predict": 6, "decide": 5, "action": 4, "feedback": 3}
NODES = (*FIRST, *SECOND, "drift check")
_WORDS = {
    "sources": ("source",),
    "ingest": ("ingest", "snapshot"),
    "preprocess": ("preprocess", "encode", "tokenize"),
    "pretrain": ("pretrain",),
    "meta-train": ("meta",),
    "fine-tune": ("fine_tune", "finetune", "train"),
    "evaluate": ("evaluate", "baseline", "score"),
    "register": ("register",),
    "gate": ("gate", "judge"),
    "promote": ("promote", "decide", "move"),
    "predict": ("predict",),
    "drift check": ("drift",),
    "feedback": ("feedback",),
}


@dataclass(frozen=True)
class Node:
    """How a stage looks: its state and a few words under its name."""

    state: State = "idle"
    caption: str = ""


def nodes_of(story: Story) -> dict[str, Node]:
    """Tell for each stage whether it ran, was served from the cache, or was not part of the story."""
    found: dict[str, Node] = {}
    rounds = [r for a in story.agents for r in a.rounds]
    for name in NODES:
        steps = [s for r in rounds for s in r.steps if s.state == "done" and _stage(s.name) == name]
        if steps:
            cached = all(s.cache == "hit" for s in steps)
            caption = "from cache" if cached else seconds(sum(s.seconds for s in steps))
            found[name] = Node("cached" if cached else "ran", caption)
        elif any(_took_part(name, r) for r in rounds):
            found[name] = Node("ran")
        else:
            found[name] = Node("optional" if name in ("pretrain", "meta-train") else "idle")
    champions = [a for a in story.agents if a.champion]
    if champions:
        same = len(champions) == 1
        found["champion"] = Node(
            "ran", f"version {champions[0].champion}" if same else f"{len(champions)} agents"
        )
    return found


def _stage(step: str) -> str:
    name = step.lower().replace("-", "_").replace(" ", "_")
    order = ("meta-train", "pretrain", *(n for n in _WORDS if n not in ("meta-train", "pretrain")))
    return next((stage for stage in order if any(w in name for w in _WORDS[stage])), "")


def _took_part(name: str, turn: Round) -> bool:
    promoted = turn.decision is not None and turn.decision.verdict == "promoted"
    return {
        "sources": bool(turn.snapshots),
        "ingest": bool(turn.snapshots),
        "fine-tune": turn.training is not None,
        "evaluate": turn.evaluation is not None,
        "register": turn.version is not None,
        "gate": turn.gate is not None,
        "promote": promoted,
        "drift check": turn.drift is not None,
    }.get(name, False)
