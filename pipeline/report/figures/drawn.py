"""Which figures the report has, section by section: a figure joins it by one line here.

What draws a figure takes what was found in the study (`Findings`) and returns a `Figure`, several, or None where the
study has nothing to draw. It is imported when it is wanted only.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from pipeline.report.figures.figure import Figure
from pipeline.report.findings import Findings
from pipeline.results.columns import LATENTS

# Section of the page -> functions, as module.function of this folder, in the order of the page.
FIGURES: Mapping[str, tuple[str, ...]] = {
    "answer": ("scales.answer",),
    "result": ("scales.scales", "grains.grains"),
    "structures": ("structures.structures",),
    "comparison": ("contrasts.contrasts",),
    "mechanism": ("mechanism.heatmaps", "mechanism.connectivity"),
    "macro": ("macro_maps.maps",),
    "multiscale": (
        *("multiscale.multiscale", "multiscale.macro_model", "courses.over_time"),
        *("portraits.flows", "portraits.planes", "attributions.attributions"),
    ),
    "activity": ("activity.activity",),
    "truth": ("truth.truth",),
}


# Sections whose figures are drawn with matplotlib, which takes its time to load, and what they need of a study.
MATPLOTLIB = {"multiscale": LATENTS}


def drawn(study: Findings, section: str) -> list[Figure]:
    """Draw the figures of a section.

    Args:
        study: what was found in the study.
        section: a key of FIGURES.
    """
    if section not in MATPLOTLIB:
        return _made(study, section)
    if MATPLOTLIB[section] not in set(study.learned.summary["route"]):
        return []
    from pipeline.report.figures import canvas

    with canvas.style():
        return _made(study, section)


def _made(study: Findings, section: str) -> list[Figure]:
    found: list[Figure] = []
    for name in FIGURES[section]:
        module, _, function = name.rpartition(".")
        made = getattr(import_module(f"pipeline.report.figures.{module}"), function)(study)
        found += [made] if isinstance(made, Figure) else [figure for figure in made or () if figure]
    return found
