"""Draw docs/loop.svg, the README's picture of the loop: `python -m docs.draw_loop`."""

from pathlib import Path

from tasks.io.report.loop import FIRST, NODES, Node
from tasks.io.report.loop_picture import LYING, draw_loop

TO_COME = ("pretrain", "meta-train", "decide", "action", "feedback")
"""Stages that later rooms of the house bring; drawn dashed."""

# Filled boxes and mid greys read on white and on dark pages alike.
_COLOURS = """<style>
.way{fill:none;stroke:#8b939c;stroke-width:1.5;stroke-linecap:round;stroke-linejoin:round}
text{text-anchor:middle;font-family:'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif;fill:#fff}
.name{font-size:13px;font-weight:600}.caption{font-size:10.5px}
.word{font-size:12px;fill:#7d868f}
.stage rect{stroke-width:1.5}
.learn rect{fill:#1b66a8}.use rect{fill:#2f7566}.champion rect{fill:#0b7a62}.watch rect{fill:#b8570a}
.optional rect{fill:none;stroke:#8b939c;stroke-dasharray:4 3}.optional text{fill:#7d868f}
</style>"""
_CAPTIONS = {
    "sources": "files, SQL, hubs",
    "ingest": "digest, checks",
    "preprocess": "windows",
    "fine-tune": "own process",
    "evaluate": "with intervals",
    "register": "reloaded first",
    "gate": "paired tests",
    "promote": "by the ledger",
    "champion": "one alias",
    "drift check": "on schedule",
}


def readme_loop() -> str:
    """Draw the whole loop in colours of its own."""
    nodes = {name: Node("optional" if name in TO_COME else "ran", _CAPTIONS.get(name, "")) for name in NODES}
    drawn = draw_loop(nodes, LYING, _COLOURS)
    for name in NODES:
        kind = "learn" if name in (*FIRST, "promote") else "watch" if name == "drift check" else "use"
        drawn = drawn.replace(f'data-stage="{name}" class="stage', f'data-stage="{name}" class="stage {kind}')
    width, height = LYING.size
    legend = (
        f'<text class="word" x="8" y="{height - 4:g}" style="text-anchor:start">dashed: to come</text></svg>'
    )
    size = f'xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}"'
    return drawn.replace("<svg ", f"<svg {size} ", 1).replace("</svg>", legend) + "\n"


if __name__ == "__main__":
    (Path(__file__).parent / "loop.svg").write_text(readme_loop(), encoding="utf-8")
