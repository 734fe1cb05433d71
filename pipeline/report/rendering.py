"""Templates of pages, and how text is set in them."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from pipeline.report.figures.figure import STYLE
from pipeline.report.figures.plot import told

HERE = Path(__file__).parent
PHI_S = Markup("φ<sub>s</sub>")


def rich(text: object) -> Markup:
    """Escape a text and set the signs of the theory in it."""
    safe = escape(text)
    for plain in ("phi_s", "φ_s", "φs"):
        safe = safe.replace(plain, PHI_S)
    return safe


def inert(text: str) -> Markup:
    """Return a text as the content of a script element, which nothing in it can end; page.js reads it back."""
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704 (no "<" is left)


def environment() -> Environment:
    """Return what renders the templates of this room."""
    made = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"rich": rich, "plain": told, "inert": inert}
    made.globals |= {
        "page_style": Markup((HERE / "page.css").read_text(encoding="utf-8")),  # noqa: S704 (our own files)
        "figure_style": Markup(STYLE),  # noqa: S704
        "script": Markup((HERE / "page.js").read_text(encoding="utf-8")),  # noqa: S704
    }
    return made
