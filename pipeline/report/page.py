"""The page: gathers figures, tables and text, and writes one self-contained HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from pipeline.base.files import write_whole
from pipeline.report import (
    canvas,
    figures,
    grouping_figures,
    headline,
    limits,
    methods,
    qc_figures,
    result_tables,
    tables,
    truth_figure,
)
from pipeline.report.canvas import Figure
from pipeline.report.data import Study
from pipeline.report.truth import truth_pairs
from pipeline.results import provenance
from pipeline.results.layout import Layout


def build(
    results: Path,
    parameters: dict[str, Any],
    failures: list[dict[str, str]],
    windows: pd.DataFrame | None,
    recordings: pd.DataFrame,
) -> Path:
    """Write RESULTS/report.html and RESULTS/figures/*.svg, *.png, and return the page's path.

    results: folder of the study's results; parameters: study.yaml as plain values, defaults included;
    failures: one {recording, [window,] stage, reason} each; recordings and windows: the study's
    sheets; without windows those that the run has written (windows/R.csv) are taken. Only files in `results` are read; what is missing is left out of the page.
    """
    text = {"recording": str, "subject": str, "window": str, "condition": str}
    study = Study(
        Path(results),
        parameters,
        failures,
        None if windows is None else windows.astype({c: t for c, t in text.items() if c in windows}),
        recordings.astype({c: t for c, t in text.items() if c in recordings}),
    )
    if not study.provenance:
        study.__dict__["provenance"] = provenance.collect(parameters, _inputs(study))
    html = _environment().get_template("template.html").render(**_content(study))
    page = Layout(study.folder).of_study("page")
    write_whole(page, lambda path: path.write_text(html, encoding="utf-8"))
    return page


def _content(study: Study) -> dict[str, Any]:
    """Everything the template shows."""
    found = grouping_figures.groupings(study)
    answers = headline.answers(study)
    with canvas.style():
        main = figures.scales(study)
        others = figures.other_measures(study)
        contrasts = figures.contrasts(study)
        activity = figures.activity(study)
        truth = truth_figure.truth(study)
        sizes = dict.fromkeys(g.size for g in found)
        maps = [f for f in (grouping_figures.maps(study, found, size) for size in sizes) if f]
        quality = {r: _quality(study, r) for r in study.recordings["recording"]}
    pairs = truth_pairs(study)
    return {
        "study": study,
        "name": study.parameters["study"],
        "analysed": headline.analysed(study),
        "verdict": headline.verdict(study, answers),
        "answers": answers,
        "across": headline.across_scales(study),
        "limits": limits.limits(study, found),
        "main": main,
        "others": others,
        "contrasts": contrasts,
        "activity": activity,
        "truth": truth,
        "coverage": truth_figure.coverage(study),
        "maps": maps,
        "macro_units": grouping_figures.introduction(found),
        "quality": {r: f for r, f in quality.items() if f},
        "tables": {
            "recordings": tables.recordings(study),
            "windows": tables.windows(study),
            "failures": tables.failures(study),
            "answers": [result_tables.contrasts(study, answer) for answer in answers],
            "comparison": result_tables.comparison(study),
            "comparison_more": result_tables.comparison(study, main=False),
            "measured": result_tables.values(study),
            "macro": result_tables.macro(study, found),
            "validity": result_tables.validity(found),
            "activity": tables.activity(study),
            "planted": result_tables.planted(pairs),
            "parameters": tables.parameters(study),
            "versions": tables.versions(study),
            "inputs": tables.inputs(study),
            "glossary": tables.glossary(),
        },
        "methods": methods.paragraphs(study),
        "references": methods.references(study),
        "style": Markup((Path(__file__).parent / "style.css").read_text(encoding="utf-8")),
    }


def _quality(study: Study, recording: str) -> list[Figure]:
    states = study.dataset("states", recording)
    if states is None or not states.sizes.get("frame"):
        return []
    return [
        qc_figures.overview(study, recording, states),
        qc_figures.traces(study, recording, states),
    ]


def _inputs(study: Study) -> list[dict[str, str]]:
    found = []
    for recording in study.recordings["recording"]:
        dataset = study.dataset("recording", recording)
        if dataset is not None:
            found.append(
                {
                    "recording": recording,
                    "source": str(dataset.attrs.get("source", "")),
                    "sha256": str(dataset.attrs.get("source_sha256", "")),
                }
            )
    return found


def rich(text: object) -> Markup:
    """Escape a text and set the signs of the theory in it."""
    safe = str(escape(text))
    for plain in ("phi_s", "φ_s", "φs"):
        safe = safe.replace(plain, "φ<sub>s</sub>")
    return Markup(safe)


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["rich"] = rich
    return environment
