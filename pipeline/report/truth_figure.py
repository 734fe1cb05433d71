"""Estimated against planted values, where the recordings are simulated."""

from __future__ import annotations

from matplotlib.lines import Line2D

from pipeline.report import canvas, glossary
from pipeline.report.canvas import MUTED, Figure
from pipeline.report.data import ROUTES, Study
from pipeline.report.truth import COMPARED, truth_pairs


def truth(study: Study) -> Figure | None:
    """Estimated against planted values, where the recordings are simulated."""
    pairs = truth_pairs(study)
    measures = [m for m in COMPARED if m in set(pairs["measure"])]
    if not measures:
        return None
    figure = canvas.canvas(height=2.75)
    colour = canvas.colours(study.conditions)
    shape = dict(zip(ROUTES, ("o", "s", "^"), strict=True))
    panels = figure.subplots(1, len(measures), squeeze=False)[0]
    for panel, measure in zip(panels, measures, strict=True):
        rows = pairs[pairs["measure"] == measure]
        top = 1.08 * max(rows[["truth", "value", "ci_high"]].max().max(), 1e-9)
        panel.plot([0, top], [0, top], color=MUTED, lw=0.8, ls=":")
        for row in rows.itertuples():
            panel.plot(
                [row.truth] * 2,
                [row.ci_low, row.ci_high],
                color=colour[row.condition],
                lw=1.2,
                alpha=0.6,
            )
            panel.plot(
                row.truth,
                row.value,
                shape[row.route],
                color=colour[row.condition],
                ms=5.5,
                mec="white",
                mew=0.6,
            )
        panel.set(xlim=(0, top), ylim=(0, top), xlabel="planted", title=glossary.axis(measure))
        panel.title.set_fontsize(8.5)
    panels[0].set_ylabel("estimated")
    handles = [
        Line2D([], [], marker="o", color="none", mfc=colour[c], mec="white", ms=7, label=c)
        for c in study.conditions
    ]
    handles += [
        Line2D([], [], marker=shape[r], color="none", mfc=MUTED, mec="white", ms=7, label=ROUTES[r])
        for r in dict.fromkeys(pairs["route"])
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles))
    inside = pairs["truth"].between(pairs["ci_low"], pairs["ci_high"])
    known = pairs["ci_low"].notna()
    return canvas.finish(
        figure,
        study.folder / "figures",
        "truth",
        f"Estimate against the planted value, one point per window and scale, with {study.confidence:.0%} intervals; dotted: equality. The interval contains the planted value in {int((inside & known).sum())} of {int(known.sum())} cases.",
        "Scatter plots of estimated against planted values; the planted values table lists them.",
    )
