"""Which figures the report has, section by section: a figure joins it by one line here.

What draws a figure takes what was found in the study (`Findings`) and returns a `Figure`, several, or None where the
study has nothing to draw. It is imported when it is wanted only.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from pipeline.report.figures import canvas
from pipeline.report.figures.canvas import Figure
from pipeline.report.findings import Findings

# Section of the page -> functions, as module.function of this folder, in the order of the page.
FIGURES: Mapping[str, tuple[str, ...]] = {
    "multiscale": ("multiscale.multiscale", "multiscale.over_time"),
}


def drawn(study: Findings, section: str) -> list[Figure]:
    """Draw the figures of a section.

    Args:
        study: what was found in the study.
        section: a key of FIGURES.
    """
    found: list[Figure] = []
    with canvas.style():
        for name in FIGURES[section]:
            module, _, function = name.rpartition(".")
            made = getattr(import_module(f"pipeline.report.figures.{module}"), function)(study)
            found += [made] if isinstance(made, Figure) else [figure for figure in made or () if figure]
    return found
