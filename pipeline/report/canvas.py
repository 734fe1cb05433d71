"""The look of every figure, and figures as bytes that are the same for the same data."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from pipeline.base.files import write_whole

# Okabe & Ito's palette: told apart with every common form of colour blindness. Colour never stands
# alone: conditions differ in marker as well, macro units are labelled.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C6D31")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
INK, MUTED, FAINT, NULL = "#1b1f24", "#5b6570", "#d5dae0", "#9aa3ad"
WIDTH = 7.4  # inches: a page's text block

_STYLE = {
    "font.family": "DejaVu Sans",
    "mathtext.fontset": "dejavusans",
    "font.size": 8.5,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 8.5,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "lines.linewidth": 1.0,
    "figure.dpi": 100,
    "savefig.dpi": 180,
    "savefig.facecolor": "white",
    "svg.fonttype": "path",
    "svg.hashsalt": "phiscale",
    "image.interpolation": "nearest",
}


@dataclass(frozen=True)
class Figure:
    """A finished figure: its file name (no suffix), what it shows, and its SVG."""

    name: str
    caption: str
    alt: str
    svg: bytes
    width: float = 1.0  # share of the page's text block

    @property
    def uri(self) -> str:
        """The SVG as a data URI, so that the page needs no other file."""
        return "data:image/svg+xml;base64," + base64.b64encode(self.svg).decode()


@contextmanager
def style() -> Iterator[None]:
    """Draw in the report's style, and leave the user's own matplotlib settings alone."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        yield


def canvas(width: float = WIDTH, height: float = 3.0) -> Canvas:
    """Return an empty figure [inches] that no window or global state knows of."""
    return Canvas(figsize=(width, height), layout="constrained")


def finish(figure: Canvas, folder: Path, name: str, caption: str, alt: str) -> Figure:
    """Write NAME.svg and NAME.png into `folder`, without dates, and return the figure for the page."""
    svg, png = io.BytesIO(), io.BytesIO()
    figure.draw_without_rendering()  # lay out once, not once per format
    figure.set_layout_engine("none")
    figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": "phiscale"})
    figure.savefig(png, format="png", metadata={"Software": "phiscale"})
    drawing = _lighter(svg.getvalue())
    write_whole(folder / f"{name}.svg", lambda path: path.write_bytes(drawing))
    write_whole(folder / f"{name}.png", lambda path: path.write_bytes(png.getvalue()))
    return Figure(name, caption, alt, drawing, min(1.0, figure.get_figwidth() / WIDTH))


def _lighter(svg: bytes) -> bytes:
    """Write the paths of a drawing to a hundredth of a point, which halves traces and rasters."""
    return re.sub(rb' d="[^"]*"', lambda path: re.sub(rb"(\.\d\d)\d+", rb"\1", path[0]), svg)


def colours(names: Sequence[str]) -> dict[str, str]:
    """Give each name a colour, in order."""
    return {name: PALETTE[i % len(PALETTE)] for i, name in enumerate(names)}


def markers(names: Sequence[str]) -> dict[str, str]:
    """Give each name a marker, in order."""
    return {name: MARKERS[i % len(MARKERS)] for i, name in enumerate(names)}


def bare(axes: Axes) -> None:
    """Take frame and ticks away (maps and schemes)."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
