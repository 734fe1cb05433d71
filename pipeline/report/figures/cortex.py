"""Where the units lie: their centres on the cortex, the neurons they are made of, and the outline of the field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from pipeline.base.arrays import Floats, Ints
from pipeline.report.figures.axes import Bare, Linear
from pipeline.report.figures.plot import Plot

MARGIN = 0.09


@dataclass(frozen=True, eq=False)
class Places:
    """Places of units and neurons.

    Attributes:
        centre: (unit, 2) in mm, or on a circle where positions are not known.
        neurons: (neuron, 2) in mm; no rows where positions are not known.
        label: (neuron,) unit of each, -1 for none.
        known: positions are known.
    """

    centre: Floats
    neurons: Floats
    label: Ints
    known: bool

    def plot(self, title: str, size: float = 250.0) -> Plot:
        """Return an empty map with its axes in mm (a square without axes' labels where positions are not known)."""
        points = self.neurons if self.known else np.array([[-1.5, -1.4], [1.5, 1.4]])
        points = points[np.isfinite(points).all(axis=1)]
        low, high = points.min(axis=0), points.max(axis=0)
        half = (1 / 2 + MARGIN) * max(float((high - low).max()), 1e-6)
        middle = (low + high) / 2
        kind = Linear if self.known else Bare
        x, y = (kind(float(m - half), float(m + half), 8) for m in middle)
        named = ("x [mm]", "y [mm]") if self.known else ("places are schematic", "")
        return Plot(x, y, size, size - 8, title=title, xlabel=named[0], ylabel=named[1])

    def draw(self, plot: Plot, kinds: Sequence[str]) -> None:
        """Draw the outline of the field and the neurons, those of a unit in its colour.

        Args:
            plot: where.
            kinds: class of each unit.
        """
        if not self.known:
            return
        plot.add(plot.line([tuple(p) for p in hull(self.neurons)], "l", closed=True), "fa", "outline of the field")
        for unit in (-1, *range(len(kinds))):
            own = self.neurons[self.label == unit]
            path = "".join(f"M{plot.px(x):.0f} {plot.py(y):.0f}h0" for x, y in own if np.isfinite(x) and np.isfinite(y))
            if path:
                plot.add(f'<path class="nrn" d="{path}"/>', kinds[unit] if unit >= 0 else "fa")


def places(ensembles: xr.Dataset | None, n: int) -> Places:
    """Return where the units of an analysis lie.

    Args:
        ensembles: units of a recording; None where they are not there.
        n: number of units.
    """
    angle = 2 * np.pi * np.arange(n) / n + np.pi / n
    circle = Places(np.column_stack([np.cos(angle), np.sin(angle)]), np.empty((0, 2)), np.empty(0, int), known=False)
    if ensembles is None or "label" not in ensembles.variables or "x" not in ensembles.variables:
        return circle
    label = ensembles["label"].values
    xy = np.column_stack([ensembles["x"].values, ensembles["y"].values])
    if len(xy) != len(label) or not all(np.isfinite(xy[label == u]).any() for u in range(n)):
        return circle
    return Places(np.array([np.nanmean(xy[label == u], axis=0) for u in range(n)]), xy, label, known=True)


def hull(points: Floats) -> Floats:
    """Return the corners of the convex hull of points (Andrew 1979, Inf. Process. Lett. 9: 216-219).

    Args:
        points: (point, 2); those that are not finite do not count.

    >>> hull(np.array([[0.0, 0.0], [2.0, 0.0], [1.0, 0.5], [2.0, 2.0], [0.0, 2.0]])).tolist()
    [[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]]
    """
    known = np.unique(points[np.isfinite(points).all(axis=1)], axis=0)
    if len(known) < 3:
        return known
    return np.array(_half(known)[:-1] + _half(known[::-1])[:-1])


def _half(ordered: Floats) -> list[Floats]:
    found: list[Floats] = []
    for point in ordered:
        while len(found) > 1 and _turn(found[-2], found[-1], point) <= 0:
            found.pop()
        found.append(point)
    return found


def _turn(a: Floats, b: Floats, c: Floats) -> float:
    return float((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))
