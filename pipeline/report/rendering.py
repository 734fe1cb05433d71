"""Templates of pages, and how text is set in them."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

PHI_S = Markup("φ<sub>s</sub>")


def rich(text: object) -> Markup:
    """Escape a text and set the signs of the theory in it."""
    safe = escape(text)
    for plain in ("phi_s", "φ_s", "φs"):
        safe = safe.replace(plain, PHI_S)
    return safe


def environment() -> Environment:
    """Return what renders the templates of this room."""
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["rich"] = rich
    return made
