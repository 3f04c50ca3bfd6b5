"""The picture of the loop, lying (wide pages) or standing (phones), with what was done filled in.

Learning runs along the first lane, use runs back along the second; the drift check stands between.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Literal

from tasks.io.report.story import Round, Story
from tasks.io.report.words import seconds

State = Literal["ran", "cached", "idle", "optional"]

FIRST = ("sources", "ingest", "preprocess", "pretrain", "meta-train", "fine-tune", "evaluate", "register", "gate")
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
    "gate": ("gate",),
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
        found["champion"] = Node("ran", f"version {champions[0].champion}" if same else f"{len(champions)} agents")
    return found


def _stage(step: str) -> str:
    name = step.lower().replace("-", "_").replace(" ", "_")
    order = ("meta-train", "pretrain", *(n for n in _WORDS if n not in ("meta-train", "pretrain")))
    return next((stage for stage in order if any(w in name for w in _WORDS[stage])), "")


def _took_part(name: str, turn: Round) -> bool:
    promoted = turn.decision is not None and turn.decision.verdict in ("promoted", "rolled_back")
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


@dataclass(frozen=True)
class _Shape:
    """One way to lay the loop out: `lying` or standing, with its sizes in pixels."""

    lying: bool
    pitch: int
    node: tuple[int, int]
    lanes: tuple[int, int, int]

    def centre(self, name: str) -> tuple[float, float]:
        """Place a stage: along the loop by its position, across by its lane."""
        lane = 0 if name in FIRST else 2 if name in SECOND else 1
        place = FIRST.index(name) if name in FIRST else SECOND.get(name, 6)
        along = 8 + self.node[0 if self.lying else 1] / 2 + place * self.pitch
        return (along, self.lanes[lane]) if self.lying else (self.lanes[lane], along)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the drawing."""
        along = 16 + 8 * self.pitch + self.node[0 if self.lying else 1]
        across = self.lanes[2] + self.node[1 if self.lying else 0] / 2 + 8
        return (along, across) if self.lying else (across, along)


LYING = _Shape(lying=True, pitch=112, node=(92, 46), lanes=(31, 128, 225))
STANDING = _Shape(lying=False, pitch=58, node=(108, 42), lanes=(62, 184, 306))


def draw_loop(nodes: Mapping[str, Node], shape: _Shape, colours: str = "") -> str:
    """Draw the loop as SVG; `colours` is a style sheet for a file of its own (none inside the page)."""
    width, height = shape.size
    parts = [_arrow(shape, a, b) for a, b in zip(FIRST, FIRST[1:], strict=False)]
    second = list(SECOND)
    parts += [_arrow(shape, a, b) for a, b in zip(second, second[1:], strict=False)]
    parts += [_arrow(shape, "gate", "promote"), _arrow(shape, "predict", "drift check")]
    parts += [_corner(shape, "drift check", "fine-tune"), _corner(shape, "feedback", "ingest")]
    parts += [_box(shape, name, nodes.get(name, Node())) for name in NODES]
    label = "The loop: " + ", ".join(f"{n} {nodes[n].state}" for n in NODES if n in nodes)
    return (
        f'<svg class="loop {"lying" if shape.lying else "standing"}" viewBox="0 0 {width:g} {height:g}" '
        f'role="img" aria-label="{escape(label)}">{colours}{"".join(parts)}</svg>'
    )


def _half(shape: _Shape, name: str) -> tuple[float, float]:
    wide, tall = shape.node
    return (wide / 2, tall / 2) if name != "drift check" else (min(wide, 88) / 2, tall / 2)


def _arrow(shape: _Shape, start: str, end: str) -> str:
    (ax, ay), (bx, by) = shape.centre(start), shape.centre(end)
    (aw, ah), (bw, bh) = _half(shape, start), _half(shape, end)
    if ay == by:
        side = 1 if bx > ax else -1
        return _line(f"M{ax + side * aw:g} {ay:g}", (bx - side * (bw + 2), by), (side, 0))
    side = 1 if by > ay else -1
    return _line(f"M{ax:g} {ay + side * ah:g}", (bx, by - side * (bh + 2)), (0, side))


def _corner(shape: _Shape, start: str, end: str) -> str:
    """Leave along the lane, turn once, and enter the first lane from inside."""
    (ax, ay), (bx, by) = shape.centre(start), shape.centre(end)
    (aw, ah), (bw, bh) = _half(shape, start), _half(shape, end)
    if shape.lying:
        path = f"M{ax - aw:g} {ay:g}H{bx + 12:g}Q{bx:g} {ay:g} {bx:g} {ay - 12:g}"
        return _line(path, (bx, by + bh + 2), (0, -1))
    path = f"M{ax:g} {ay - ah:g}V{by + 12:g}Q{ax:g} {by:g} {ax - 12:g} {by:g}"
    return _line(path, (bx + bw + 2, by), (-1, 0))


def _line(path: str, tip: tuple[float, float], way: tuple[int, int]) -> str:
    (x, y), (dx, dy) = tip, way
    head = f"M{x - 5 * dx - 4 * dy:g} {y - 5 * dy - 4 * dx:g}L{x:g} {y:g}L{x - 5 * dx + 4 * dy:g} {y - 5 * dy + 4 * dx:g}"
    return f'<path class="way" d="{path}L{x:g} {y:g}{head}"/>'


def _box(shape: _Shape, name: str, node: Node) -> str:
    (x, y), (half, tall) = shape.centre(name), _half(shape, name)
    kind = "champion " if name == "champion" else ""
    lift = 3 if node.caption else -4
    text = f'<text class="name" x="{x:g}" y="{y - lift:g}">{escape(name)}</text>'
    if node.caption:
        text += f'<text class="caption" x="{x:g}" y="{y + 13:g}">{escape(node.caption)}</text>'
    radius = 10 if name != "champion" else tall
    return (
        f'<g class="stage {kind}{node.state}"><rect x="{x - half:g}" y="{y - tall:g}" width="{half * 2:g}" '
        f'height="{tall * 2:g}" rx="{radius:g}"/>{text}</g>'
    )
