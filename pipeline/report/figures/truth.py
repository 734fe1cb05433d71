"""Estimated against true values, where the recordings are simulated."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from pipeline.inference.subjects import beside_values, subject_means
from pipeline.report.figures import canvas
from pipeline.report.figures.canvas import MUTED, Figure
from pipeline.report.findings import Findings
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
    figure = canvas.canvas(height=2.75)
    colour = canvas.colours(study.conditions)
    panels = figure.subplots(1, len(measures), squeeze=False)[0]
    for panel, measure in zip(panels, measures, strict=True):
        _panel(panel, study, pairs[pairs["measure"] == measure])
        panel.set_title(glossary.axis(measure), fontsize=8.5)
    panels[0].set_ylabel("estimated")
    handles = [
        Line2D([], [], marker="o", color="none", mfc=colour[c], mec="white", ms=7, label=c) for c in study.conditions
    ]
    handles += [
        Line2D([], [], marker=SHAPES[r], color="none", mfc=MUTED, mec="white", ms=7, label=ROUTES[r])
        for r in dict.fromkeys(pairs["route"])
    ]
    handles += [
        Line2D([], [], marker="o", color="none", mfc="white", mec=MUTED, ms=7, label="planted"),
        Line2D([], [], marker="o", color="none", mfc=MUTED, mec="white", ms=7, label="unlimited data"),
    ]
    figure.legend(
        handles=handles,
        loc="outside upper center",
        ncols=min(len(handles), 6 if len(handles) <= 6 else 4),
    )
    return canvas.finish(
        figure,
        study.folder,
        "truth",
        (
            "Estimate against the true value of the same units, macro units as they were learned; one pair of "
            "points per window and scale, joined. Filled: against what unlimited data would show "
            f"(observational TPM), with the {study.confidence:.0%} posterior interval; open: against the "
            "planted value (interventional TPM). Dotted: equality; logarithmic axes where values span more "
            f"than a factor of {canvas.LOG_SPAN}."
        ),
        "Scatter plots of estimated against true values. " + " ".join(coverage(study)),
    )


def _panel(panel: Axes, study: Findings, rows: pd.DataFrame) -> None:
    colour = canvas.colours(study.conditions)
    values = rows[[*KINDS, "value", "ci_high"]].to_numpy(float)
    values = values[np.isfinite(values)]
    low, high = 0.0, 1.08 * max(values.max(), 1e-9)
    if values.min() > 0 and high > canvas.LOG_SPAN * values.min():
        low, high = values.min() / 1.6, high * 1.5
        panel.set(xscale="log", yscale="log")
    panel.plot([low, high], [low, high], color=MUTED, lw=0.8, ls=":")
    for p in rows.itertuples():
        tone, shape = colour[p.condition], SHAPES[p.route]
        panel.plot([p.planted, p.unlimited], [p.value] * 2, color=tone, lw=0.7, alpha=0.5)
        panel.plot(p.planted, p.value, shape, mfc="white", mec=tone, ms=4.5, mew=0.9)
        panel.plot([p.unlimited] * 2, [p.ci_low, p.ci_high], color=tone, lw=1.2, alpha=0.6)
        panel.plot(p.unlimited, p.value, shape, color=tone, ms=5.5, mec="white", mew=0.6)
    panel.set(xlim=(low, high), ylim=(low, high), xlabel="true")


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
