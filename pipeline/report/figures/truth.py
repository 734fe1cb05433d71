"""Estimated against true values, where the recordings are simulated."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.inference.subjects import beside_values, subject_means
from pipeline.report.figures.axes import reaching
from pipeline.report.figures.figure import Figure, Key, assembled, sample
from pipeline.report.figures.look import classes
from pipeline.report.figures.marks import condition_keys, whisker
from pipeline.report.figures.plot import Panel, Plot
from pipeline.report.findings import Findings, StudyScale
from pipeline.report.words import glossary
from pipeline.results.columns import ROUTES
from pipeline.results.measures import WITH_TRUTH

SHAPES = dict(zip(ROUTES, ("o", "s", "^", "v"), strict=True))
KINDS = ("planted", "unlimited")
WHAT = {
    "planted": "the planted value (interventional TPM)",
    "unlimited": "what unlimited data would show (observational TPM)",
}


def truth(study: Findings) -> Figure | None:
    """Estimated against true values, where the recordings are simulated."""
    pairs = study.pairs
    measures = [m for m in WITH_TRUTH if m in set(pairs["measure"])]
    if not measures:
        return None
    keys = [
        *condition_keys(study),
        *(Key(ROUTES[r], sample(SHAPES[r]), "mt") for r in dict.fromkeys(pairs["route"])),
        Key("planted value", sample("o", "h"), "mt"),
        Key("unlimited data", sample("o"), "mt"),
    ]
    return assembled(
        study.folder,
        "truth",
        "Estimate against the true value of the same units, two points per window and scale. Filled: what unlimited "
        f"data would show (observational TPM), with the {study.confidence:.0%} posterior interval; open: the planted "
        "value (interventional TPM). Dotted: equality.",
        "Scatter plots of estimated against true values. " + " ".join(coverage(study)),
        [_panel(study, pairs[pairs["measure"] == measure], measure) for measure in measures],
        keys=keys,
        data=pairs,
    )


def _panel(study: Findings, rows: pd.DataFrame, measure: str) -> Panel:
    kind = classes(study.conditions)
    values = rows[[*KINDS, "value", "ci_high"]].to_numpy(float)
    values = values[np.isfinite(values)]
    axis = reaching(values, logarithmic=True)
    name = glossary.labelled(measure)
    plot = Plot(axis, axis, 300, 280, title=name, xlabel="true", ylabel="estimated")
    plot.add(plot.line([(axis.low, axis.low), (axis.high, axis.high)], "l dot"), "mt")
    for row in rows.itertuples():
        shape = SHAPES[row.route]
        mark = plot.line([(row.planted, row.value), (row.unlimited, row.value)], "l pale")
        mark += _at(plot, row.planted, row.value, shape, "h") + _at(plot, row.unlimited, row.value, shape, "f")
        if np.isfinite(row.unlimited):
            mark += whisker(plot, row.unlimited, row.ci_low, row.ci_high)
        where = f"{row.recording}, {row.condition}, {StudyScale(row.route, row.scale)}"
        said = f"estimated {glossary.number(row.value)}{glossary.interval_of(row.ci_low, row.ci_high)}"
        said += f", planted {glossary.number(row.planted)}, unlimited data {glossary.number(row.unlimited)}"
        tags = {"condition": row.condition, "scale": str(StudyScale(row.route, row.scale))}
        plot.add(mark, kind.get(row.condition, "mt"), f"{where}: {said}", tags)
    return plot.panel(f"Estimated against true {glossary.plain(measure)}", {"measure": glossary.short(measure)})


def _at(plot: Plot, x: float, y: float, shape: str, style: str) -> str:
    return plot.dot(x, y, shape, 3.8, style) if np.isfinite(x) else ""


def coverage(study: Findings) -> list[str]:
    """How often intervals contain the true values, and where the order of the conditions is lost."""
    pairs = study.pairs
    text = [said for kind in KINDS if (said := _contained(pairs, kind))]
    known = beside_values(pairs.dropna(subset="planted"), study.summary, ["planted", "value"])
    for (measure, route, scale), rows in known.groupby(["measure", "route", "scale"], sort=False):
        means = [subject_means(rows, column) for column in ("planted", "value")]
        orders = [" > ".join(mean.sort_values(ascending=False).index) for mean in means]
        if orders[0] != orders[1]:
            text.append(
                f"The planted order of the conditions by {glossary.short(measure)} at {scale} "
                f"{ROUTES[route]} ({orders[0]}) is not what is estimated ({orders[1]})."
            )
    return text


def _contained(pairs: pd.DataFrame, kind: str) -> str:
    """How many intervals contain one kind of true value, measure by measure; empty where none is known."""
    known = pairs[pairs[f"contains_{kind}"] != ""]
    said = [
        f"{list(own).count('yes')} of {len(own)} for {glossary.short(str(measure))}"
        for measure, own in known.groupby("measure", sort=False)[f"contains_{kind}"]
    ]
    return f"Intervals that contain {WHAT[kind]}: {', '.join(said)}." if said else ""
