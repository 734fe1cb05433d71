"""The page: gathers figures, tables and text, and writes one self-contained HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.report import methods, multiverse
from pipeline.report.figures import quality, truth
from pipeline.report.figures.drawn import FIGURES, drawn
from pipeline.report.figures.figure import write_bytes
from pipeline.report.findings import Findings
from pipeline.report.macro_units import MacroUnits, introduction, macro_units
from pipeline.report.rendering import environment
from pipeline.report.tables import learned as learned_tables
from pipeline.report.tables import results as result_tables
from pipeline.report.tables import study as study_tables
from pipeline.report.tables.table import Table
from pipeline.report.words import headline, limits
from pipeline.report.words.endpoint import primary_sentences, secondary_sentences
from pipeline.report.words.first_screen import questions
from pipeline.report.words.grain import grain_sentences
from pipeline.results.layout import Layout

MOST_PICTURED = 5_000_000  # letters on the page that pictures of the recordings' quality may take
IDENTIFIERS = ("recording", "subject", "window", "condition")


def build(
    results: Path,
    parameters: dict[str, Any],
    failures: list[dict[str, str]],
    windows: pd.DataFrame | None,
    recordings: pd.DataFrame,
) -> Path:
    """Write report.html, methods.md, figures/*.svg and *.csv into the results, and return the page's path.

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
    content = _content(study)
    write_bytes(Layout(study.folder).of_study("methods"), content["methods"].encode())
    html = environment().get_template("template.html").render(**content)
    page = Layout(study.folder).of_study("page")
    write_bytes(page, html.encode())
    return page


def _as_text(sheet: pd.DataFrame) -> pd.DataFrame:
    """A sheet whose identifiers are text, even where they look like numbers."""
    return sheet.astype({name: str for name in IDENTIFIERS if name in sheet})


def _content(study: Findings) -> dict[str, Any]:
    """Everything the template shows."""
    found = macro_units(study)
    answers = headline.answers(study)
    pictures = quality.drawn(study, MOST_PICTURED)
    left = len(study.analysed) - len(pictures)
    return {
        "study": study,
        "name": study.parameters["study"],
        "analysed": headline.analysed(study),
        "questions": questions(study),
        "answers": answers,
        "endpoint": [*primary_sentences(study), *secondary_sentences(study)],
        "grain": grain_sentences(study),
        "limits": limits.limits(study, found),
        "coverage": truth.coverage(study),
        "macro_units": introduction(found),
        "methods": methods.written(study),
        "methods_in_short": methods.in_short(study),
        "tables": _tables(study, found),
        "drawn": {section: drawn(study, section) for section in FIGURES},
        "quality": pictures,
        "quality_more": f"The first {len(pictures)} recordings are shown, {left} more are not." if left > 0 else "",
        "multiverse": multiverse.section(study.results, study.folder, study.parameters),
    }


def _tables(study: Findings, found: list[MacroUnits]) -> dict[str, Table | list[Table]]:
    return {
        "recordings": study_tables.recordings(study),
        "windows": study_tables.windows(study),
        "failures": study_tables.failures(study),
        "distinctions": result_tables.distinctions(study),
        "comparison": result_tables.comparison(study),
        "adjusted": result_tables.adjusted(study),
        "classification": result_tables.classification(study),
        "comparison_more": result_tables.comparison(study, main=False),
        "measured": result_tables.values(study),
        "macro": result_tables.macro(study, found),
        "learned": learned_tables.tables(study),
        "validity": result_tables.validity(found),
        "activity": study_tables.activity(study),
        "halves": study_tables.halves(study),
        "planted": result_tables.planted(study.pairs),
        "parameters": study_tables.parameters(study),
        "versions": study_tables.versions(study),
        "inputs": study_tables.inputs(study),
        "glossary": study_tables.glossary(study),
    }
