"""The binarizer `otsu`."""

from __future__ import annotations

import numpy as np

from pipeline.base.arrays import Bools, Floats
from pipeline.base.parameters import Section
from pipeline.binarize.binarizer import Binarizer, Stretch, above


class Otsu(Binarizer):
    """ON above the threshold that separates the unit's signal best into two classes."""

    name = "otsu"
    summary = "mean over the bin above Otsu's threshold between two classes"
    methods = "ON where its mean over the bin exceeded Otsu's threshold"

    def decide(self, stretch: Stretch, parameters: Section) -> tuple[float, Bools]:
        """Return Otsu's threshold and where the signal exceeds it; see `Binarizer.decide`."""
        return above(stretch.signal, otsu(stretch.signal))


def otsu(values: Floats) -> float:
    """Return the threshold that maximises the variance between the two classes, exactly.

    It lies midway between two neighbouring values (Otsu 1979, IEEE Trans Syst Man Cybern 9: 62-66).

    Args:
        values: (frame,) of one unit, not all equal.

    >>> otsu(np.array([0.0, 0.0, 1.0, 9.0, 10.0]))
    5.0
    """
    ordered = np.sort(values)
    n = len(ordered)
    below = np.arange(1, n)
    mean_below = np.cumsum(ordered)[:-1] / below
    mean_above = (ordered.sum() - np.cumsum(ordered)[:-1]) / (n - below)
    between = below * (n - below) * (mean_above - mean_below) ** 2
    between[ordered[1:] == ordered[:-1]] = -1.0  # equal values cannot be told apart
    best = int(np.argmax(between))
    return float((ordered[best] + ordered[best + 1]) / 2)
