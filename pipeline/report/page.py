"""The page: gathers figures, tables and text, and writes one self-contained HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.report import methods, multiverse
from pipeline.report.figures import activity, canvas, contrasts, grains, macro_maps, quality, scales, truth
from pipeline.report.figures.canvas import Figure
from pipeline.report.figures.drawn import drawn
from pipeline.report.findings import Findings
from pipeline.report.macro_units import MacroUnits, introduction, macro_units
from pipeline.report.rendering import environment
from pipeline.report.tables import results as result_tables
from pipeline.report.tables import study as study_tables
from pipeline.report.tables.table import Table
from pipeline.report.words import headline, limits
from pipeline.report.words.grain import grain_sentences
from pipeline.report.words.headline import ScaleAnswer
from pipeline.results.layout import Layout

IDENTIFIERS = ("recording", "subject", "window", "condition")


def build(
    results: Path,
    parameters: dict[str, Any],
    failures: list[dict[str, str]],
    windows: pd.DataFrame | None,
    recordings: pd.DataFrame,
) -> Path:
    """Write RESULTS/report.html and RESULTS/figures/*.svg, *.png, and return the page's path.

    Only files in `results` are read; what is missing is left out of the page.

    Args:
        results: folder of the study's results.
        parameters: study.yaml as plain values, defaults included.
        failures: one {recording, [window,] [system,] stage, reason} each.
        windows: the study's sheet of windows; without one those that the run has written (windows/R.csv) are taken.
        recordings: the study's sheet of recordings.
    """
    sheet = None if windows is None else _as_text(windows)
    study = Findings(Path(results), parameters, failures, sheet, _as_text(recordings))
    html = environment().get_template("template.html").render(**_content(study))
    page = Layout(study.folder).of_study("page")
    canvas.write_bytes(page, html.encode())
    return page


def _as_text(sheet: pd.DataFrame) -> pd.DataFrame:
    """A sheet whose identifiers are text, even where they look like numbers."""
    return sheet.astype({name: str for name in IDENTIFIERS if name in sheet})


def _content(study: Findings) -> dict[str, Any]:
    """Everything the template shows."""
    found = macro_units(study)
    answers = headline.answers(study)
    return {
        "study": study,
        "name": study.parameters["study"],
        "analysed": headline.analysed(study),
        "verdict": headline.verdict(study, answers),
        "answers": answers,
        "across": headline.across_scales(study),
        "grain": grain_sentences(study),
        "limits": limits.limits(study, found),
        "coverage": truth.coverage(study),
        "macro_units": introduction(found),
        "methods": methods.paragraphs(study),
        "references": methods.references(study),
        "tables": _tables(study, answers, found),
        **_figures(study, found),
    }


def _figures(study: Findings, found: list[MacroUnits]) -> dict[str, Any]:
    with canvas.style():
        sizes = dict.fromkeys(units.size for units in found)
        maps = [macro_maps.maps(study, found, size) for size in sizes]
        qualities = {name: _quality(study, name) for name in study.recordings["recording"]}
        return {
            "main": scales.scales(study),
            "grains": grains.grains(study),
            "others": scales.other_measures(study),
            "multiscale": drawn(study, "multiscale"),
            "contrasts": contrasts.contrasts(study),
            "activity": activity.activity(study),
            "truth": truth.truth(study),
            "multiverse": multiverse.section(study.results, study.folder, study.parameters),
            "maps": [figure for figure in maps if figure],
            "quality": {name: figures for name, figures in qualities.items() if figures},
        }


def _quality(study: Findings, recording: str) -> list[Figure]:
    states = study.states(recording)
    if states is None or not states.sizes.get("frame"):
        return []
    return [
        quality.overview(study, recording, states),
        quality.traces(study, recording, states),
    ]


def _tables(study: Findings, answers: list[ScaleAnswer], found: list[MacroUnits]) -> dict[str, Table | list[Table]]:
    return {
        "recordings": study_tables.recordings(study),
        "windows": study_tables.windows(study),
        "failures": study_tables.failures(study),
        "answers": [result_tables.contrasts(study, answer) for answer in answers],
        "comparison": result_tables.comparison(study),
        "adjusted": result_tables.adjusted(study),
        "classification": result_tables.classification(study),
        "comparison_more": result_tables.comparison(study, main=False),
        "measured": result_tables.values(study),
        "macro": result_tables.macro(study, found),
        "validity": result_tables.validity(found),
        "activity": study_tables.activity(study),
        "halves": study_tables.halves(study),
        "planted": result_tables.planted(study.pairs),
        "parameters": study_tables.parameters(study),
        "versions": study_tables.versions(study),
        "inputs": study_tables.inputs(study),
        "glossary": study_tables.glossary(),
    }
