"""A sheet to draw on, and its ink: figures become SVG whose colours follow the page's theme.

matplotlib draws in placeholder colours (one per role); they are then replaced by CSS variables (in the
page) or by the light theme's colours (in a file of its own).
"""

import io
import re
import warnings
from contextlib import AbstractContextManager
from dataclasses import dataclass
from html import escape
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

WIDTH = 424
"""Width of every figure in pixels at its natural size; the page scales it to its column."""

INK, MUTED, LINE, SURFACE = "#010203", "#020304", "#030405", "#040506"
NEW, OLD, GOOD, BAD, ON_NEW, BASE = "#050607", "#060708", "#070809", "#08090a", "#090a0b", "#0a0b0c"

_ROLES = {
    INK: ("ink", "#1a1d21"),
    MUTED: ("muted", "#5f6770"),
    LINE: ("line", "#dcd8d0"),
    SURFACE: ("surface", "#ffffff"),
    NEW: ("new", "#1b66a8"),
    OLD: ("old", "#c05a08"),
    GOOD: ("good", "#0b7a62"),
    BAD: ("bad", "#b3261e"),
    ON_NEW: ("on-new", "#ffffff"),
    BASE: ("base", "#8b939c"),
}
_NO_METADATA = {"Date": None, "Creator": None}
_SANS = "-apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_FAMILY = " font-family: 'DejaVu Sans';"
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "quickstudy",
    "font.family": "DejaVu Sans",
    "font.size": 12,
    "text.parse_math": False,
    "text.usetex": False,
    "axes.unicode_minus": True,
    "path.simplify": True,
}


@dataclass(frozen=True)
class Picture:
    """A drawn figure: its key, what it says (a claim), how to read it, and the figure itself."""

    key: str
    title: str
    note: str
    figure: Figure


def style() -> AbstractContextManager[None]:
    """Set fonts and text handling while figures are drawn; the caller's settings come back after."""
    return mpl.rc_context(_STYLE)


def sheet(height: float, left: float = 120, right: float = 16, **space: float) -> tuple[Figure, Axes]:
    """Open a figure of WIDTH x `height` pixels with one bare axes; margins are in pixels."""
    top, bottom = space.get("top", 10), space.get("bottom", 34)
    figure = Figure(figsize=(WIDTH / 72, height / 72), dpi=72)
    box = (left / WIDTH, bottom / height, (WIDTH - left - right) / WIDTH, (height - top - bottom) / height)
    axes = figure.add_axes(box)
    bare(axes)
    return figure, axes


def bare(axes: Axes) -> None:
    """Take away frame, background and tick marks; what is left is quiet."""
    axes.patch.set_visible(False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0, colors=MUTED, labelsize=11, pad=5)


def grid(axes: Axes, which: str = "x") -> None:
    """Draw hairlines along one direction, under everything."""
    axes.set_axisbelow(True)
    axes.grid(axis="x" if which == "x" else "y", color=LINE, linewidth=0.8)


def svg(picture: Picture, themed: bool = True) -> str:
    """Render a picture as SVG: for the page (`themed`) or for a file with the light theme on white."""
    figure, buffer = picture.figure, io.StringIO()
    figure.patch.set_visible(not themed)
    figure.patch.set_facecolor(SURFACE)
    with style(), warnings.catch_warnings():
        # Labels may be in any script; the reader's browser has the font, this machine need not.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        warnings.filterwarnings("ignore", message="Matplotlib currently does not support .* natively")
        FigureCanvasSVG(figure).print_figure(buffer, format="svg", dpi=72, metadata=_NO_METADATA)
    return _inline(buffer.getvalue(), picture) if themed else _standalone(buffer.getvalue())


def _colour(text: str, themed: bool) -> str:
    for mark, (role, value) in _ROLES.items():
        text = text.replace(mark, f"var(--{role})" if themed else value)
    return text


def _inline(text: str, picture: Picture) -> str:
    text = text[text.index("<svg") :]
    body = text[text.index(">") + 1 :]
    body = re.sub(r"<metadata>.*?</metadata>\s*", "", body, flags=re.DOTALL)
    body = re.sub(r"<!--.*?-->\s*", "", body, flags=re.DOTALL)
    body = re.sub(r'<g id="[^"]*"', "<g", body)
    body = re.sub(r'(\bid="|url\(#|href="#)', rf"\1{picture.key}-", body)
    body = body.replace(_FAMILY, "")
    body = re.sub(r' transform="rotate\(-0 [^)]*\)"', "", body)
    body = body.replace("xlink:href", "href")
    body = re.sub(r"\s*\n\s*", "\n", body)
    height = round(picture.figure.get_figheight() * 72)
    opening = f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(picture.title)}">'
    return opening + _colour(body, True)


def _standalone(text: str) -> str:
    text = text.replace(_FAMILY, f" font-family: {_SANS}; white-space: pre;")
    return _colour(text, False)
