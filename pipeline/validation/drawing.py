"""Figures of the page docs/validation.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipeline.inference.families import ALPHA
from pipeline.validation.cells import GIVEN
from pipeline.validation.counts import Count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEVEL = 0.95
HEIGHT = 0.22  # of a cell [inch]
TOLERANCE = 1e-9  # of truths that are 0 up to rounding
SHOWN = {"phi_s": "o", "phi_s_observational": "s", "effective_information": "^", "big_phi": "D"}
RATIOS = ("phi_s", "phi_s_observational", "effective_information")  # Φ is off by too much to share their axis
WORDS = {
    "phi_s": "phi_s (drive held)",
    "phi_s_observational": "phi_s, observational",
    "effective_information": "effective information",
    "big_phi": "Φ",
}


def held(rows: pd.DataFrame, measure: str) -> Count:
    """Count the intervals that hold the truth, of those that are given.

    Args:
        rows: of one cell.
        measure: whose.
    """
    truth, low, high = (rows[f"{measure}_{part}"].to_numpy(float) for part in ("truth", "low", "high"))
    told = np.isfinite(truth) & np.isfinite(rows[f"{measure}_value"].to_numpy(float))
    inside = (low <= truth + TOLERANCE) & (truth - TOLERANCE <= high)
    return Count(int((inside & told).sum()), int(told.sum()))


def draw_figures(tables: Mapping[str, pd.DataFrame], folder: Path) -> None:
    """Write coverage.svg, nulls.svg and attenuation.svg, of those that have rows.

    Args:
        tables: rows of each study.
        folder: where to.
    """
    import matplotlib as mpl  # slow to import
    from matplotlib.figure import Figure

    drawn = {
        "coverage": (_coverage, tables["coverage"]),
        "nulls": (_nulls, tables["nulls"]),
        "attenuation": (_attenuation, tables["coverage"]),
    }
    with mpl.rc_context({"svg.hashsalt": "phiscale", "svg.fonttype": "none", "font.size": 8}):
        for name, (draw, rows) in drawn.items():
            if len(rows):
                figure = Figure(figsize=(7, 1 + HEIGHT * len(labelled(rows))), layout="constrained")
                draw(figure.add_subplot(), rows)
                figure.savefig(folder / f"{name}.svg", metadata={"Date": None})


def labelled(rows: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Return the rows of each cell with its name, cells of given states first.

    Args:
        rows: of several cells.
    """
    found = []
    for (imaging, case, length, estimator), own in rows.groupby(["imaging", "case", "length", "estimator"]):
        found.append((imaging != GIVEN, f"{case}, {length}, {imaging}, {estimator}", own))
    return [(name, own) for _, name, own in sorted(found, key=lambda item: item[:2])]


def _shares(axes: Axes, cells: Sequence[str], counts: Sequence[Count], shift: float, **style: Any) -> None:
    kept = [(i + shift, c) for i, c in enumerate(counts) if c.n]
    if not kept:
        return
    place, share = [i for i, _ in kept], np.array([c.share for _, c in kept])
    limits = np.array([c.interval for _, c in kept])
    axes.errorbar(share, place, xerr=np.abs(limits.T - share), linestyle="none", markersize=4, **style)
    axes.set_yticks(range(len(cells)), cells)
    axes.set_xlim(-0.02, 1.02)


def _coverage(axes: Axes, rows: pd.DataFrame) -> None:
    cells = labelled(rows)
    for k, (measure, marker) in enumerate(SHOWN.items()):
        counts = [held(own, measure) for _, own in cells]
        _shares(axes, [name for name, _ in cells], counts, 0.16 * (k - 1.5), fmt=marker, label=WORDS[measure])
    axes.axvline(LEVEL, color="0.6", linewidth=1)
    axes.invert_yaxis()
    axes.set_xlabel("share of 95% intervals that hold the truth")
    axes.figure.legend(loc="outside upper center", ncols=len(SHOWN), fontsize=7)


def _nulls(axes: Axes, rows: pd.DataFrame) -> None:
    cells = labelled(rows)
    counts = [Count(int((own["p"] <= ALPHA).sum()), int(own["p"].notna().sum())) for _, own in cells]
    _shares(axes, [name for name, _ in cells], counts, 0.0, fmt="o")
    axes.axvline(ALPHA, color="0.6", linewidth=1)
    axes.invert_yaxis()
    axes.set_xlabel("share of reducible systems called integrated (phi_s, null `integration`, p ≤ 0.05)")


def _attenuation(axes: Axes, rows: pd.DataFrame) -> None:
    cells = labelled(rows[rows["case"].isin(["awake", "anesthesia"])])
    for k, measure in enumerate(RATIOS):
        for i, (_, own) in enumerate(cells):
            ratio = (own[f"{measure}_value"] / own[f"{measure}_truth"]).dropna()
            place = np.full(len(ratio), i + 0.25 * (k - 1))
            axes.plot(
                ratio, place, SHOWN[measure], color=f"C{k}", markersize=3, label=WORDS[measure] if not i else None
            )
    axes.set_yticks(range(len(cells)), [name for name, _ in cells])
    axes.axvline(1.0, color="0.6", linewidth=1)
    axes.invert_yaxis()
    axes.set_xscale("symlog", linthresh=0.1)
    axes.set_xlim(left=-0.02)
    axes.set_xlabel("value over truth")
    axes.figure.legend(loc="outside upper center", ncols=len(RATIOS), fontsize=7)
