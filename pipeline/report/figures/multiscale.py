"""Causal power and reach of learned latents, and phi of macro models, by scale and condition, with their null."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from pipeline.encoder.scales import LARGEST, scales_of
from pipeline.inference.subjects import beside_values, subject_means, subject_values
from pipeline.report.figures import canvas
from pipeline.report.figures.canvas import Figure
from pipeline.report.findings import Findings, StudyScale
from pipeline.report.words import glossary
from pipeline.results.columns import LATENTS, MACRO_MODEL

REACH = "coverage_mm"
SHIFTED = "interaction"
SHOWN = ("gaussian_causal_power", "delta_gaussian_causal_power", "delta_published_j", REACH)


def multiscale(study: Findings) -> Figure | None:
    """Measures of learned latents over scales, a panel each; nothing where the study learned none."""
    drawn = _by_scale(study, LATENTS, SHOWN)
    if drawn is None:
        return None
    figure, null, measures = drawn
    caption = (
        "Causal power per dimension of the latents of each scale, what a scale has above that of all dimensions, and "
        "how far the latents reach over the cortex. Dots: subjects (windows averaged, weighted by frames), with "
        f"{study.confidence:.0%} intervals over held-out blocks drawn anew; lines: means over subjects.{_band(null)} "
        "Surrogates were trained as the data were. Slow activity has causal power too: only what exceeds the null is "
        "more than that."
    )
    if null == SHIFTED:
        caption += (
            " In many dimensions this null can lie above the data: what ensembles have in common is one variable, and "
            "as many as there are ensembles once they are shifted against each other."
        )
    if REACH in measures:
        caption += " Dotted in the panel of coverage: as many groups of neighbouring ensembles."
    alt = f"Panels of {', '.join(map(glossary.plain, measures))} over scales, a line per condition."
    return canvas.finish(figure, study.folder, "multiscale", caption, alt)


def macro_model(study: Findings) -> Figure | None:
    """phi_s and Φ of macro models over their scales; nothing where there are none."""
    drawn = _by_scale(study, MACRO_MODEL, ("phi_s", "big_phi"))
    if drawn is None:
        return None
    figure, null, measures = drawn
    encoder = study.parameters.get("encoder") or {}
    more = [f"{d}" for d in scales_of(int(encoder.get("units", 1))) if d > LARGEST]
    caption = (
        "phi of the macro model: latents of one hierarchy of all windows of a recording, made ON and OFF at thresholds "
        "common to all conditions. They are functions of all ensembles at once, so this is no phi of a macro grain in "
        f"the sense of the theory. Dots: subjects, with {study.confidence:.0%} posterior intervals of the TPM; lines: "
        f"means over subjects.{_band(null)} Surrogates were encoded by hierarchies trained on them."
    )
    if more:
        caption += (
            f" Of {' and '.join(more)} latents there is causal power only: their states are too many for the TPM that "
            "a recording of this length carries."
        )
    alt = f"Panels of {', '.join(map(glossary.plain, measures))} of the macro model over scales, a line per condition."
    return canvas.finish(figure, study.folder, "macro_model", caption, alt)


def _by_scale(study: Findings, route: str, wanted: Sequence[str]) -> tuple[Canvas, str, list[str]] | None:
    """A panel per measure that has values, the null that is drawn, and the measures; None where nothing has any."""
    own = study.learned.summary[study.learned.summary["route"] == route]
    measures = [name for name in wanted if own.loc[own["measure"] == name, "value"].notna().any()]
    if not measures:
        return None
    sizes = sorted({int(size) for size in own["scale"]}, reverse=True)
    figure = canvas.canvas(height=3.1)
    for panel, measure in zip(figure.subplots(1, len(measures), squeeze=False)[0], measures, strict=True):
        _panel(panel, study, route, measure, sizes)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), frameon=False)
    return figure, next((str(name) for name in own["null"] if name), ""), measures


def _band(null: str) -> str:
    """Say what the bands are."""
    name = glossary.NULL_NAMES.get(null, null)
    return f" Bands with a broken line: the null “{name}”, mean ± sd over surrogates." if null else ""


def _panel(panel: Axes, study: Findings, route: str, measure: str, sizes: list[int]) -> None:
    place = {size: float(i) for i, size in enumerate(sizes)}
    colour, marker = canvas.colours(study.conditions), canvas.markers(study.conditions)
    shift = dict(zip(study.conditions, np.linspace(-0.15, 0.15, len(study.conditions)), strict=True))
    mean: dict[str, dict[float, float]] = {condition: {} for condition in study.conditions}
    for size in sizes:
        scale = StudyScale(route, size)
        values = subject_values(scale.of(study.learned.summary, measure))
        _nulls(panel, study, scale, measure, {name: place[size] + shift[name] for name in shift})
        for row in values.itertuples():
            x = place[size] + shift[row.condition]
            panel.plot([x, x], [row.ci_low, row.ci_high], color=colour[row.condition], lw=1.0, alpha=0.5, zorder=2)
            panel.plot(x, row.value, marker[row.condition], ms=4, color=colour[row.condition], mec="white", mew=0.5)
        for condition, value in subject_means(values).items() if len(values) else ():
            mean[str(condition)][place[size] + shift[str(condition)]] = float(value)
    for condition, line in mean.items():
        alone = "_" if len(sizes) == 1 else ""  # where no line can be seen
        x, y, tone = list(line), list(line.values()), colour[condition]
        panel.plot(x, y, color=tone, lw=1.2, label=condition, marker=alone, ms=14, zorder=1)
    if measure == REACH:
        local = _local(study)
        panel.plot([place[n] for n in sizes], [local.get(n, np.nan) for n in sizes], ":", color=canvas.MUTED, zorder=1)
    panel.set_xticks(list(place.values()), [str(size) for size in sizes])
    margin = 0.5 if len(sizes) > 1 else 1.0
    panel.set_xlim(-margin, len(sizes) - 1 + margin)
    panel.set_xlabel("Dimensions")
    panel.set_ylabel(("Macro model: " if route == MACRO_MODEL else "") + glossary.axis(measure))


def _local(study: Findings) -> dict[int, float]:
    """Reach of groups of neighbouring ensembles by scale, mean over windows: the same in all conditions."""
    found: dict[int, list[float]] = {}
    for dataset in study.learned.windows.values():
        if "coverage_local_mm" in dataset:
            for size, value in zip(dataset["scale"].values, dataset["coverage_local_mm"].values, strict=True):
                found.setdefault(int(size), []).append(float(value))
    return {size: float(np.mean(values)) for size, values in found.items()}


def _nulls(panel: Axes, study: Findings, scale: StudyScale, measure: str, place: dict[str, float]) -> None:
    """Mean ± sd of the null that the summary shows, a band in the colour of each condition."""
    shown = scale.of(study.learned.summary, measure)["null"]
    tests = scale.of(study.learned.nulls, measure).dropna(subset="mean")
    known = beside_values(tests, study.learned.summary, ["mean", "sd"], by=["null"])
    known = known[known["null"].isin(set(shown))]
    tones = canvas.colours(study.conditions)
    for condition, rows in known.groupby("condition", sort=False):
        mean, sd, tone = float(rows["mean"].mean()), float(rows["sd"].mean()), tones[str(condition)]
        half = min(0.12, 0.13 / max(1, len(place) - 1))  # bands of neighbouring conditions do not cover each other
        ends = [place[str(condition)] - half, place[str(condition)] + half]
        panel.fill_between(ends, mean - sd, mean + sd, color=tone, alpha=0.2, lw=0, zorder=0)
        panel.plot(ends, [mean, mean], color=tone, lw=0.8, ls=(0, (2, 1)), zorder=0.5)
