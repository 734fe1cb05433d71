"""Where on the cortex each scale is read from: what is attributed to the neurons, within the outline of the field."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection

from pipeline.base.arrays import Floats
from pipeline.report.figures import canvas
from pipeline.report.figures.canvas import FAINT, Figure
from pipeline.report.figures.cortex import hull
from pipeline.report.findings import Findings

MOST_NAMED = 4  # scales over whose maps a word has room


def attributions(study: Findings) -> Figure | None:
    """Maps of one recording, a row per condition and a column per scale; None where places are not known."""
    by: dict[str, dict[str, list[xr.Dataset]]] = {}
    for (recording, _), dataset in study.learned.windows.items():
        if "coverage_mm" in dataset and dataset.attrs["condition"] in study.conditions:
            by.setdefault(recording, {}).setdefault(dataset.attrs["condition"], []).append(dataset)
    if not by:
        return None
    recording, found = next(iter(by.items()))
    units = next(iter(found.values()))[0].sizes["unit"]
    ensembles = study.learned.ensembles(recording, units)
    if ensembles is None:
        return None
    conditions = [c for c in study.conditions if c in found]
    scales = [int(size) for size in found[conditions[0]][0]["scale"].values]
    figure = canvas.canvas(height=0.6 + min(1.45, 5.8 / len(scales)) * len(conditions))
    panels = figure.subplots(len(conditions), len(scales), squeeze=False)
    for row, condition in zip(panels, conditions, strict=True):
        weights = np.mean([dataset["attribution"].values for dataset in found[condition]], axis=0)
        for panel, size, of_units in zip(row, scales, weights, strict=True):
            drawn = _map(panel, ensembles, of_units)
            named = f"{size} dimension{'s' if size > 1 else ''}" if len(scales) <= MOST_NAMED else f"{size}-dim."
            panel.set_title(named if condition == conditions[0] else "")
        row[0].set_ylabel(condition)
    figure.colorbar(drawn, ax=panels, label="Attribution, share of the largest", shrink=0.7)
    caption = (
        f"What the latents of each scale are read from ({recording}): mean absolute integrated gradients over held-out "
        "frames and latents, of the ensemble of each neuron, relative to the ensemble with the most. Line: outline of "
        "the field that was imaged. An even map is one of the whole field, a single spot of large values a local one."
    )
    alt = f"Maps of attribution over the cortex of {recording}, by condition and scale ({', '.join(map(str, scales))})."
    return canvas.finish(figure, study.folder, "attribution", caption, alt)


def _map(panel: Axes, ensembles: xr.Dataset, of_units: Floats) -> PathCollection:
    """Neurons in the colour of what is attributed to their ensemble."""
    label = ensembles["label"].values.astype(int)
    xy = np.column_stack([ensembles["x"].values, ensembles["y"].values])
    outline = hull(xy)
    panel.fill(*outline.T, fill=False, ec=FAINT, lw=1.0, zorder=0)
    used = label >= 0
    share = of_units / of_units.max()
    x, y = xy[used].T
    drawn = panel.scatter(x, y, c=share[label[used]], s=3, cmap="viridis_r", vmin=0, vmax=1, lw=0)
    panel.set_aspect("equal")
    canvas.bare(panel)
    return drawn
