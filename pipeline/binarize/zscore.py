"""The binarizer `zscore`."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from pipeline.base.arrays import Bools, Floats
from pipeline.base.parameters import Deviations, Section
from pipeline.binarize.binarizer import Binarizer, Stretch, above

MAD_TO_SD = 0.6745  # median absolute deviation of a normal distribution of sd 1


class Zscore(Binarizer):
    """ON so many robust standard deviations above the median of the unit's signal."""

    name = "zscore"
    summary = "mean over the bin above its median by z robust standard deviations"
    methods = "ON where its mean over the bin exceeded the median by {z:g} robust standard deviations"
    fix = "lower binarize.z, or use the method events"

    class Parameters(Section):
        """Fields of the method `zscore`."""

        z: Deviations = Field(3.0, description="Threshold above the median [robust standard deviations of the signal]")

    def decide(self, stretch: Stretch, parameters: Parameters) -> tuple[float, Bools]:
        """Return the threshold and where the signal exceeds it; see `Binarizer.decide`."""
        return above(stretch.signal, robust_z(stretch.signal, parameters.z))


def robust_z(values: Floats, z: float) -> float:
    """Return the median plus z robust standard deviations (median absolute deviation / 0.6745).

    Args:
        values: (frame,) of one unit.
        z: number of standard deviations.

    >>> robust_z(np.array([0.0, 1.0, 2.0]), 0.6745)
    2.0
    """
    middle = np.median(values)
    return float(middle + z * np.median(np.abs(values - middle)) / MAD_TO_SD)
