"""Figures that are drawn with matplotlib: their look, and their bytes, which are the same for the same data."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from pipeline.report.figures.figure import Figure, write_bytes
from pipeline.report.figures.look import (
    CROWD,
    FAINT,
    INK,
    LOG_SPAN,
    MARKERS,
    MUTED,
    NULL,
    PALETTE,
    colours,
    markers,
    offsets,
)
from pipeline.results.layout import Layout

__all__ = [
    "CROWD",
    "FAINT",
    "INK",
    "LOG_SPAN",
    "MARKERS",
    "MUTED",
    "NULL",
    "PALETTE",
    "WIDTH",
    "Figure",
    "bare",
    "canvas",
    "colours",
    "finish",
    "markers",
    "offsets",
    "style",
    "write_bytes",
]

WIDTH = 7.4  # inches: a page's text block

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


def finish(
    figure: Canvas, results: Path, name: str, caption: str, alt: str, data: pd.DataFrame | None = None
) -> Figure:
    """Write figures/NAME.svg and NAME.png into a folder of results, without dates, and return the figure for the page.

    Args:
        figure: what was drawn.
        results: folder of the study's results.
        name: of the files, without suffix.
        caption: what is shown, for the page.
        alt: the same for those who cannot see it.
        data: what is shown, one row per mark, for figures/NAME.csv.
    """
    svg, png = io.BytesIO(), io.BytesIO()
    figure.draw_without_rendering()  # lay out once, not once per format
    figure.set_layout_engine("none")
    figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": "phiscale"})
    figure.savefig(png, format="png", metadata={"Software": "phiscale"})
    drawing = _lighter(svg.getvalue())
    table = "" if data is None else data.to_csv(index=False, float_format="%.6g", lineterminator="\n")
    for suffix, content in (("svg", drawing), ("png", png.getvalue()), ("csv", table.encode())):
        if content:
            write_bytes(Layout(results).of_study("figures") / f"{name}.{suffix}", content)
    return Figure(name, caption, alt, drawing, min(1.0, figure.get_figwidth() / WIDTH), csv=table)


def _lighter(svg: bytes) -> bytes:
    """Write the paths of a drawing to a hundredth of a point, which halves traces and rasters."""
    return re.sub(rb' d="[^"]*"', lambda path: re.sub(rb"(\.\d\d)\d+", rb"\1", path[0]), svg)


def bare(axes: Axes) -> None:
    """Take frame and ticks away (maps and schemes)."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
