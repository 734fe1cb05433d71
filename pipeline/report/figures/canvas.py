"""The look of every figure, and figures as bytes that are the same for the same data."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from pipeline.base.files import write_whole
from pipeline.results.layout import Layout

# Okabe & Ito's palette: told apart with every common form of colour blindness. Colour never stands
# alone: conditions differ in marker as well, macro units are labelled.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C6D31")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
INK, MUTED, FAINT, NULL = "#1b1f24", "#5b6570", "#d5dae0", "#9aa3ad"
WIDTH = 7.4  # inches: a page's text block
CROWD = 6  # with more subjects, marks are smaller and planted values are averaged
LOG_SPAN = 30  # values that multiply and span more than this factor are shown on a logarithmic axis

_STYLE: dict[str, Any] = {
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
        matplotlib.rcParams.update(_STYLE)  # type: ignore[arg-type]  # the stubs list every key
        yield


def canvas(width: float = WIDTH, height: float = 3.0) -> Canvas:
    """Return an empty figure that no window or global state knows of.

    Args:
        width: of the figure [inches].
        height: of the figure [inches].
    """
    return Canvas(figsize=(width, height), layout="constrained")


def finish(figure: Canvas, results: Path, name: str, caption: str, alt: str) -> Figure:
    """Write figures/NAME.svg and NAME.png into a folder of results, without dates, and return the figure for the page.

    Args:
        figure: what was drawn.
        results: folder of the study's results.
        name: of the files, without suffix.
        caption: what is shown, for the page.
        alt: the same for those who cannot see it.
    """
    svg, png = io.BytesIO(), io.BytesIO()
    figure.draw_without_rendering()  # lay out once, not once per format
    figure.set_layout_engine("none")
    figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": "phiscale"})
    figure.savefig(png, format="png", metadata={"Software": "phiscale"})
    drawing = _lighter(svg.getvalue())
    for suffix, content in (("svg", drawing), ("png", png.getvalue())):
        write_bytes(Layout(results).of_study("figures") / f"{name}.{suffix}", content)
    return Figure(name, caption, alt, drawing, min(1.0, figure.get_figwidth() / WIDTH))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all.

    Args:
        path: of the file.
        content: all that the file is to hold.
    """

    def write(partial: Path) -> None:
        partial.write_bytes(content)

    write_whole(path, write)


def _lighter(svg: bytes) -> bytes:
    """Write the paths of a drawing to a hundredth of a point, which halves traces and rasters."""
    return re.sub(rb' d="[^"]*"', lambda path: re.sub(rb"(\.\d\d)\d+", rb"\1", path[0]), svg)


def colours(names: Sequence[str]) -> dict[str, str]:
    """Give each name a colour, in order."""
    return {name: PALETTE[i % len(PALETTE)] for i, name in enumerate(names)}


def markers(names: Sequence[str]) -> dict[str, str]:
    """Give each name a marker, in order."""
    return {name: MARKERS[i % len(MARKERS)] for i, name in enumerate(names)}


def offsets(subjects: Sequence[str]) -> dict[str, float]:
    """Shift each subject sideways, so that the dots of a condition do not cover each other."""
    reach = 0.2 if len(subjects) <= CROWD else 0.3
    spread = np.linspace(-reach, reach, len(subjects)) if len(subjects) > 1 else [0.0]
    return {s: float(o) for s, o in zip(subjects, spread, strict=True)}


def bare(axes: Axes) -> None:
    """Take frame and ticks away (maps and schemes)."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
