"""A figure of the report: on the page, as a file beside it, and as the table of what it shows."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path

import pandas as pd

from pipeline.base.files import write_whole
from pipeline.report.figures.look import FAINT, INK, MUTED, PALETTE
from pipeline.report.figures.plot import PX_LETTER, Panel, marker, text
from pipeline.results.layout import Layout

SHEET_WIDTH = 960.0  # px of a figure's file
GAP = 12.0
# How drawings look, on the page and in files; the page sets the colours for its theme.
STYLE = (Path(__file__).parent / "figure.css").read_text(encoding="utf-8")
_LIGHT = {"ink": INK, "muted": MUTED, "line": FAINT, "paper": "#ffffff", "band": "#e3e7eb"}
_DIGITS = 6


@dataclass(frozen=True)
class Key:
    """An entry of a figure's legend; one with a value switches what belongs to it on and off.

    Attributes:
        label: what it says.
        sample: the mark that it explains, in a box of 18 by 14 px.
        kind: class with its colour.
        group, value: what it switches: condition, awake; empty where it explains only.
    """

    label: str
    sample: str
    kind: str = ""
    group: str = ""
    value: str = ""


@dataclass(frozen=True)
class Figure:
    """A finished figure.

    Attributes:
        name: of its files, without suffix.
        caption: what it shows.
        alt: the same for those who cannot see it.
        svg: its file.
        width: share of the page's text block, of a drawing without panels.
        panels: of a drawing of the report's own.
        keys: its legend.
        picks: what one of several panels is chosen by: measure -> {value: what is said of it}.
        csv: what it shows, as a table; empty where there is none.
        turns: it is three-dimensional.
    """

    name: str
    caption: str
    alt: str
    svg: bytes = b""
    width: float = 1.0
    panels: tuple[Panel, ...] = ()
    keys: tuple[Key, ...] = ()
    picks: Mapping[str, Mapping[str, str]] | None = None
    csv: str = ""
    turns: bool = False

    @property
    def uri(self) -> str:
        """The SVG as a data URI, so that the page needs no other file."""
        return "data:image/svg+xml;base64," + base64.b64encode(self.svg).decode()

    @property
    def toggles(self) -> list[tuple[str, list[str]]]:
        """What can be switched off besides the legend: the groups of panels that there are several of."""
        taken = {key.group for key in self.keys if key.group} | set(self.picks or {})
        groups: dict[str, list[str]] = {}
        for panel in self.panels:
            for group, value in panel.tags.items():
                if group not in taken and value not in groups.setdefault(group, []):
                    groups[group].append(value)
        return [(group, values) for group, values in groups.items() if len(values) > 1]

    @cached_property
    def shown(self) -> list[Panel]:
        """Panels that are there before anybody has chosen any."""
        return [panel for panel in self.panels if panel.first]


def assembled(
    results: Path,
    name: str,
    caption: str,
    alt: str,
    panels: Sequence[Panel],
    *,
    keys: Sequence[Key] = (),
    picks: Mapping[str, Mapping[str, str]] | None = None,
    data: pd.DataFrame | None = None,
    turns: bool = False,
) -> Figure:
    """Write figures/NAME.svg and NAME.csv into a folder of results, and return the figure for the page.

    Args:
        results: folder of the study's results.
        name: of the files, without suffix.
        caption: what is shown, for the page.
        alt: the same for those who cannot see it.
        panels: what was drawn.
        keys: the legend.
        picks: what one of several panels is chosen by.
        data: what is shown, one row per mark.
        turns: it is three-dimensional.
    """
    table = "" if data is None else data.to_csv(index=False, float_format=f"%.{_DIGITS}g", lineterminator="\n")
    made = Figure(name, caption, alt, b"", 1.0, tuple(panels), tuple(keys), picks, table, turns)
    drawing = "".join(_sheet(made)).encode()
    folder = Layout(results).of_study("figures")
    write_bytes(folder / f"{name}.svg", drawing)
    if table:
        write_bytes(folder / f"{name}.csv", table.encode())
    return made


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all.

    Args:
        path: of the file.
        content: all that the file is to hold.
    """

    def write(partial: Path) -> None:
        partial.write_bytes(content)

    write_whole(path, write)


def sample(shape: str, style: str = "f", size: float = 4.5) -> str:
    """Return a marker as a legend shows it."""
    return marker(9, 7, shape, size, style)


def _sheet(figure: Figure) -> Iterator[str]:
    """Panels side by side as far as they fit, the legend above, in one file that needs no other."""
    rows: list[list[Panel]] = [[]]
    for panel in figure.shown:
        if rows[-1] and sum(p.width + GAP for p in (*rows[-1], panel)) - GAP > SHEET_WIDTH:
            rows.append([])
        rows[-1].append(panel)
    legend = list(_legend(figure.keys))
    top = 20.0 * len({y for y, _ in legend}) + 6.0 if legend else 0.0
    heights = [max((p.height for p in row), default=0.0) + GAP for row in rows]
    width, height = SHEET_WIDTH, top + sum(heights)
    colours = {**_LIGHT, **{f"c{i}": tone for i, tone in enumerate(PALETTE)}}
    root = ":root{" + "".join(f"--{name}:{tone};" for name, tone in colours.items()) + "}"
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}">'
    yield f"<title>{escape(figure.alt)}</title><style>{root}{STYLE}</style>"
    yield f'<rect width="{width:g}" height="{height:g}" fill="#fff"/>'
    yield from (markup for _, markup in legend)
    for row, below in zip(rows, heights, strict=True):
        x = 0.0
        for panel in row:
            yield panel.written(f'x="{x:g}" y="{top:g}" ')
            x += panel.width + GAP
        top += below
    yield "</svg>"


def _legend(keys: Sequence[Key]) -> Iterator[tuple[float, str]]:
    x = y = 4.0
    for key in keys:
        long = 30 + PX_LETTER * len(key.label)
        if x + long > SHEET_WIDTH:
            x, y = 4.0, y + 20
        mark = f'<g class="{key.kind}">{key.sample}</g>{text(key.label, 22, 11)}'
        yield y, f'<g transform="translate({x:.1f} {y:.1f})">{mark}</g>'
        x += long
