"""Estimated against planted values, where the recordings are simulated."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from pipeline.report import canvas, glossary
from pipeline.report.canvas import MUTED, Figure
from pipeline.report.data import ROUTES, Study
from pipeline.report.truth import COMPARED, truth_pairs

SHAPES = dict(zip(ROUTES, ("o", "s", "^"), strict=True))
LOG_SPAN = 30
NAMES = {"phi_s": "phi_s", "big_phi": "Φ", "effective_information": "effective information"}


def truth(study: Study) -> Figure | None:
    """Estimated against planted values, where the recordings are simulated."""
    pairs = truth_pairs(study)
    measures = [m for m in COMPARED if m in set(pairs["measure"])]
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
        Line2D([], [], marker="o", color="none", mfc=colour[c], mec="white", ms=7, label=c)
        for c in study.conditions
    ]
    handles += [
        Line2D(
            [], [], marker=SHAPES[r], color="none", mfc=MUTED, mec="white", ms=7, label=ROUTES[r]
        )
        for r in dict.fromkeys(pairs["route"])
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles))
    return canvas.finish(
        figure,
        study.folder / "figures",
        "truth",
        f"Estimate against the planted value, one point per window and scale, with {study.confidence:.0%} posterior intervals; dotted: equality; logarithmic axes where values span more than a factor of {LOG_SPAN}.",
        "Scatter plots of estimated against planted values. " + " ".join(coverage(study)),
    )


def _panel(panel: Axes, study: Study, rows: pd.DataFrame) -> None:
    colour = canvas.colours(study.conditions)
    values = rows[["truth", "value", "ci_high"]].to_numpy(float)
    values = values[np.isfinite(values)]
    low, high = 0.0, 1.08 * max(values.max(), 1e-9)
    if values.min() > 0 and high > LOG_SPAN * values.min():
        low, high = values.min() / 1.6, high * 1.5
        panel.set(xscale="log", yscale="log")
    panel.plot([low, high], [low, high], color=MUTED, lw=0.8, ls=":")
    for p in rows.itertuples():
        tone = colour[p.condition]
        panel.plot([p.truth] * 2, [p.ci_low, p.ci_high], color=tone, lw=1.2, alpha=0.6)
        panel.plot(p.truth, p.value, SHAPES[p.route], color=tone, ms=5.5, mec="white", mew=0.6)
    panel.set(xlim=(low, high), ylim=(low, high), xlabel="planted")


def coverage(study: Study) -> list[str]:
    """How often intervals contain the planted value, and where the order of the conditions is lost."""
    pairs = truth_pairs(study)
    known = pairs[pairs["ci_low"].notna()]
    inside = known["truth"].between(known["ci_low"], known["ci_high"])
    said = []
    for measure, own in inside.groupby(known["measure"], sort=False):
        said.append(f"{int(own.sum())} of {len(own)} for {NAMES[measure]}")
    text = [f"Intervals that contain the planted value: {', '.join(said)}."] if said else []
    for (measure, route, scale), rows in pairs.groupby(["measure", "route", "scale"], sort=False):
        mean = rows.groupby("condition")[["truth", "value"]].mean()
        orders = [
            " > ".join(mean[c].sort_values(ascending=False).index) for c in ("truth", "value")
        ]
        if orders[0] != orders[1]:
            text.append(
                f"The planted order of the conditions by {NAMES[measure]} at {scale} {ROUTES[route]} ({orders[0]}) is not what is estimated ({orders[1]})."
            )
    return text
