"""The report's own drawings: panels of SVG that a page can colour, ask for values, and show or hide part by part.

A panel is written as text and needs no library. Its colours are classes (`c0` is the first condition's), so that a page
sets them for its theme; each mark says its value in a `title`, and what it belongs to in `data-condition` and the like.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from pipeline.report.figures.axes import Axis, Names

Tags = Mapping[str, str]
LEFT, RIGHT, TOP, BOTTOM = 56.0, 10.0, 24.0, 42.0  # px around what is drawn in a panel
PX_LETTER = 6.3  # mean width of a letter of a panel's text
MOST_LETTERS = 14  # of a label that is written aslant
PHI_S = "phi_s"  # as sentences and tables write it; drawings set it with a lowered s
_CORNERS = {
    "s": "-.9,-.9 .9,-.9 .9,.9 -.9,.9",
    "^": "0,-1.15 1.05,.8 -1.05,.8",
    "v": "0,1.15 1.05,-.8 -1.05,-.8",
    "D": "0,-1.25 1.1,0 0,1.25 -1.1,0",
    "P": "-.4,-1 .4,-1 .4,-.4 1,-.4 1,.4 .4,.4 .4,1 -.4,1 -.4,.4 -1,.4 -1,-.4 -.4,-.4",
    "X": "0,-.5 .6,-1.1 1.1,-.6 .5,0 1.1,.6 .6,1.1 0,.5 -.6,1.1 -1.1,.6 -.5,0 -1.1,-.6 -.6,-1.1",
    "*": "0,-1.3 .4,-.4 1.3,-.4 .6,.2 .8,1.1 0,.6 -.8,1.1 -.6,.2 -1.3,-.4 -.4,-.4",
}


@dataclass(frozen=True)
class Panel:
    """A finished panel.

    Attributes:
        body: what is inside its `svg` element.
        width, height: px.
        label: what it is, for those who cannot see it.
        tags: what it belongs to: measure, scale, recording.
        first: it is shown where one of several is chosen and nobody has chosen yet.
    """

    body: str
    width: float
    height: float
    label: str = ""
    tags: Tags = field(default_factory=dict)
    first: bool = True

    @property
    def on_page(self) -> str:
        """Its `svg` element as a page has it: named, and reached by keyboard."""
        named = f'role="group" tabindex="0" aria-label="{escape(told(self.label))}"'
        return self.written(named, shown=self.first)

    def written(self, place: str = "", *, shown: bool = True) -> str:
        """Return its `svg` element.

        Args:
            place: more attributes, such as where it stands in another drawing.
            shown: it is not one of those that wait to be chosen.
        """
        kind = "panel" if shown else "panel off"
        size = f'width="{self.width:g}" height="{self.height:g}" viewBox="0 0 {self.width:g} {self.height:g}"'
        return f'<svg class="{kind}" {size} {place}{data(self.tags)}>{self.body}</svg>'


def group(markup: str, kind: str = "", tip: str = "", tags: Tags | None = None) -> str:
    """Return a mark; arguments as those of `Plot.add`."""
    said = f"<title>{escape(told(tip))}</title>" if tip else ""
    return f'<g class="{f"{kind} m".strip() if tip else kind}"{data(tags or {})}>{said}{markup}</g>'


def data(tags: Tags) -> str:
    """Write what a drawing belongs to as attributes."""
    return "".join(f' data-{name}="{escape(str(value))}"' for name, value in tags.items())


class Plot:
    """A panel with two axes, to be drawn on.

    Args:
        x, y: its axes.
        width, height: px of the whole panel.
        title: above it.
        xlabel, ylabel: of its axes, with units.
        left: px for what is written beside the y axis.
        bottom: px for what is written below the x axis.
    """

    def __init__(
        self,
        x: Axis,
        y: Axis,
        width: float = 230.0,
        height: float = 220.0,
        *,
        title: str = "",
        xlabel: str = "",
        ylabel: str = "",
        left: float = LEFT,
        bottom: float = BOTTOM,
    ) -> None:
        self.x, self.y, self.width, self.height, self.title = x, y, width, height, title
        beside = 24 + PX_LETTER * max((len(label) for _, label in y.ticks()), default=0)  # small numbers are long
        self.left = max(left, beside) if ylabel and not isinstance(y, Names) else left
        self.right, self.top = width - RIGHT, TOP if title else 8.0
        self._steep = self._letters() * PX_LETTER > (self.right - self.left) / max(len(x.ticks()), 1) - 3
        slanted = 22 + 0.55 * PX_LETTER * self._letters() + (16 if xlabel else 0)
        self.bottom = height - max(bottom, slanted if self._steep else 0.0)
        self._parts: list[str] = []
        self._frame(xlabel, ylabel)

    def px(self, x: float) -> float:
        """Return where a value of x stands, px."""
        return self.left + self.x.at(x) * (self.right - self.left)

    def py(self, y: float) -> float:
        """Return where a value of y stands, px."""
        return self.bottom - self.y.at(y) * (self.bottom - self.top)

    def add(self, markup: str, kind: str = "", tip: str = "", tags: Tags | None = None) -> None:
        """Add a mark.

        Args:
            markup: its elements.
            kind: its classes, such as the colour.
            tip: what it says when it is pointed at; it can be reached by keyboard then.
            tags: what it belongs to.
        """
        self._parts.append(group(markup, kind, tip, tags))

    def line(self, points: Sequence[tuple[float, float]], style: str = "l", *, closed: bool = False) -> str:
        """Return a line through points in units of the axes; where one is not finite it is broken.

        Args:
            points: x and y of each.
            style: classes.
            closed: it returns to its first point.
        """
        path, pen = "", "M"
        for x, y in points:
            if x == x and y == y:  # not NaN
                path += f"{pen}{self.px(x):.1f} {self.py(y):.1f}"
                pen = "L"
            else:
                pen = "M"
        return f'<path class="{style}" d="{path}{"Z" if closed else ""}"/>'

    def box(self, low: tuple[float, float], high: tuple[float, float], style: str) -> str:
        """Return a box between two corners in units of the axes."""
        left, right = sorted((self.px(low[0]), self.px(high[0])))
        top, bottom = sorted((self.py(low[1]), self.py(high[1])))
        return rectangle(left, top, right - left, bottom - top, style)

    def dot(self, x: float, y: float, shape: str = "o", size: float = 4.2, style: str = "f") -> str:
        """Return a marker (see `marker`) at a place in units of the axes."""
        return marker(self.px(x), self.py(y), shape, size, style)

    def write(self, words: str, x: float, y: float, style: str = "t") -> None:
        """Write a text at a place in px."""
        self._parts.append(text(words, x, y, style))

    def note(self, words: str) -> None:
        """Write in the middle why there is nothing to see."""
        middle, lines = (self.top + self.bottom) / 2, words.split("\n")
        for i, line in enumerate(lines):
            self.write(line, (self.left + self.right) / 2, middle + 14 * (i - (len(lines) - 1) / 2), "t mid mu")

    def panel(self, label: str = "", tags: Tags | None = None, *, first: bool = True) -> Panel:
        """Return the finished panel; arguments as its attributes."""
        return Panel("".join(self._parts), self.width, self.height, label or self.title, tags or {}, first)

    def _frame(self, xlabel: str, ylabel: str) -> None:
        axis = f"M{self.left} {self.top}V{self.bottom}H{self.right}"
        self._parts.append(f'<path class="ax" d="{axis}"/>')
        if self.title:
            self.write(self.title, self.left, 13, "t ti")
        self._below(xlabel)
        for where, label in self.y.ticks():
            y = self.bottom - where * (self.bottom - self.top)
            self._parts.append(f'<path class="ax" d="M{self.left - 3} {y:.1f}h3"/>')
            self.write(label, self.left - 6, y + 3.5, "t end")
        if ylabel:
            middle = (self.top + self.bottom) / 2
            self._parts.append(text(ylabel, 12, middle, "t mid", f' transform="rotate(-90 12 {middle:.1f})"'))

    def _letters(self) -> int:
        """Letters of the longest label below, at most as many as are written."""
        parts = (part for _, label in self.x.ticks() for part in label.split("\n"))
        return min(MOST_LETTERS, max(map(len, parts), default=0))

    def _below(self, xlabel: str) -> None:
        for where, label in self.x.ticks():
            x, y = self.left + where * (self.right - self.left), self.bottom + 14
            if self._steep:
                turned = f' transform="rotate(-32 {x:.1f} {y:.1f})"'
                self._parts.append(text(shortened(label.replace("\n", " "), MOST_LETTERS), x + 4, y, "t end", turned))
                continue
            for i, part in enumerate(label.split("\n")):
                self.write(part, x, y + 12 * i, "t mid")
        if xlabel:
            self.write(xlabel, (self.left + self.right) / 2, self.height - 5, "t mid")


def row_width(n: int) -> float:
    """Return the width of a panel, px, such that n of them fill a row of the page where they can."""
    return 310.0 if n == 3 else max(190.0, min(230.0, 960.0 / max(n, 1) - 12.0))


def text(words: str, x: float, y: float, style: str = "t", place: str = "") -> str:
    """Return a text element.

    Args:
        words: what it says.
        x: where it begins, or its middle or end by its style, px.
        y: its foot, px.
        style: classes.
        place: more attributes.
    """
    lowered = '<tspan class="lo" dy="3">s</tspan><tspan dy="-3">'
    first, *rest = escape(words).split(PHI_S)
    said = first + "".join(f"φ{lowered}{part}</tspan>" for part in rest)
    return f'<text class="{style}" x="{x:.1f}" y="{y:.1f}"{place}>{said}</text>'


def rectangle(x: float, y: float, width: float, height: float, style: str) -> str:
    """Return a rectangle in px; style: its classes."""
    return f'<rect class="{style}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"/>'


def told(words: str) -> str:
    """Return what a mark says when it is pointed at, in letters that need no markup."""
    return words.replace(PHI_S, "φs")


def shortened(text: str, most: int) -> str:
    """Return a text of at most so many letters."""
    return text if len(text) <= most else text[: most - 1] + "…"


def marker(x: float, y: float, shape: str, size: float = 4.2, style: str = "f") -> str:
    """Return a marker in px.

    Args:
        x: its middle.
        y: its middle.
        shape: a letter of `look.MARKERS`.
        size: half of its width.
        style: classes: f filled, h hollow, ring a ring only.
    """
    if shape == "o":
        return f'<circle class="{style}" cx="{x:.1f}" cy="{y:.1f}" r="{size:g}"/>'
    corners = [corner.split(",") for corner in _CORNERS[shape].split()]
    path = "L".join(f"{x + size * float(a):.1f} {y + size * float(b):.1f}" for a, b in corners)
    return f'<path class="{style}" d="M{path}Z"/>'
