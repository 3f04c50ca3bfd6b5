"""Drawing the loop as SVG, lying (wide pages) or standing (phones).

Learning runs along the first lane, use runs back along the second; the drift check stands between.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from tasks.io.report.loop import FIRST, NODES, SECOND, Node


@dataclass(frozen=True)
class Shape:
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


LYING = Shape(lying=True, pitch=112, node=(94, 46), lanes=(31, 128, 225))
STANDING = Shape(lying=False, pitch=58, node=(108, 42), lanes=(62, 184, 306))


def draw_loop(nodes: Mapping[str, Node], shape: Shape, colours: str = "") -> str:
    """Draw the loop as SVG; `colours` is a style sheet for a file of its own (none inside the page)."""
    width, height = shape.size
    parts = [_arrow(shape, a, b) for a, b in pairwise(FIRST)]
    parts += [_arrow(shape, a, b) for a, b in pairwise(SECOND)]
    parts += [_arrow(shape, "gate", "promote"), _arrow(shape, "predict", "drift check")]
    parts += [_corner(shape, "drift check", "fine-tune"), _corner(shape, "feedback", "ingest")]
    parts += [
        _word(shape, "feedback", "ingest", "corrections"),
        _word(shape, "drift check", "fine-tune", "retrain"),
    ]
    parts += [_box(shape, name, nodes.get(name, Node())) for name in NODES]
    label = "The loop: " + ", ".join(f"{n} {nodes[n].state}" for n in NODES if n in nodes)
    return (
        f'<svg class="loop {"lying" if shape.lying else "standing"}" viewBox="0 0 {width:g} {height:g}" '
        f'role="img" aria-label="{escape(label)}">{colours}{"".join(parts)}</svg>'
    )


def _half(shape: Shape, name: str) -> tuple[float, float]:
    wide, tall = shape.node
    return (wide / 2, tall / 2) if name != "drift check" else (min(wide, 88) / 2, tall / 2)


def _arrow(shape: Shape, start: str, end: str) -> str:
    (ax, ay), (bx, by) = shape.centre(start), shape.centre(end)
    (aw, ah), (bw, bh) = _half(shape, start), _half(shape, end)
    if ay == by:
        side = 1 if bx > ax else -1
        return _line(f"M{ax + side * aw:g} {ay:g}", (bx - side * (bw + 2), by), (side, 0))
    side = 1 if by > ay else -1
    return _line(f"M{ax:g} {ay + side * ah:g}", (bx, by - side * (bh + 2)), (0, side))


def _corner(shape: Shape, start: str, end: str) -> str:
    """Leave along the lane, turn once, and enter the first lane from inside."""
    (ax, ay), (bx, by) = shape.centre(start), shape.centre(end)
    (aw, ah), (bw, bh) = _half(shape, start), _half(shape, end)
    if shape.lying:
        path = f"M{ax - aw:g} {ay:g}H{bx + 12:g}Q{bx:g} {ay:g} {bx:g} {ay - 12:g}"
        return _line(path, (bx, by + bh + 2), (0, -1))
    path = f"M{ax:g} {ay - ah:g}V{by + 12:g}Q{ax:g} {by:g} {ax - 12:g} {by:g}"
    return _line(path, (bx + bw + 2, by), (-1, 0))


def _word(shape: Shape, start: str, end: str, text: str) -> str:
    """Write a word beside the way from `start` to `end`."""
    (ax, ay), (bx, by) = shape.centre(start), shape.centre(end)
    if shape.lying:
        return f'<text class="word" x="{bx + 10:g}" y="{ay - 9:g}" style="text-anchor:start">{text}</text>'
    return f'<text class="word" x="{(ax + bx + shape.node[0] / 2) / 2:g}" y="{by - 8:g}">{text}</text>'


def _line(path: str, tip: tuple[float, float], way: tuple[int, int]) -> str:
    (x, y), (dx, dy) = tip, way
    back, out = (x - 5 * dx, y - 5 * dy), (4 * dy, 4 * dx)
    head = f"M{back[0] - out[0]:g} {back[1] - out[1]:g}L{x:g} {y:g}L{back[0] + out[0]:g} {back[1] + out[1]:g}"
    return f'<path class="way" d="{path}L{x:g} {y:g}{head}"/>'


def _box(shape: Shape, name: str, node: Node) -> str:
    (x, y), (half, tall) = shape.centre(name), _half(shape, name)
    kind = "champion " if name == "champion" else ""
    lift = 3 if node.caption else -4
    text = f'<text class="name" x="{x:g}" y="{y - lift:g}">{escape(name)}</text>'
    if node.caption:
        text += f'<text class="caption" x="{x:g}" y="{y + 13:g}">{escape(node.caption)}</text>'
    radius = 10 if name != "champion" else tall
    return (
        f'<g data-stage="{name}" class="stage {kind}{node.state}"><rect x="{x - half:g}" '
        f'y="{y - tall:g}" width="{half * 2:g}" height="{tall * 2:g}" rx="{radius:g}"/>{text}</g>'
    )
