"""The binarizer `median`."""

from __future__ import annotations

import numpy as np

from pipeline.base.arrays import Bools
from pipeline.base.parameters import Section
from pipeline.binarize.binarizer import Binarizer, Stretch, above


class Median(Binarizer):
    """ON above the median of the unit's signal: half of the time, at the largest entropy a unit can have."""

    name = "median"
    summary = "mean over the bin above its median"
    methods = "ON where its mean over the bin exceeded its median"

    def decide(self, stretch: Stretch, parameters: Section) -> tuple[float, Bools]:
        """Return the median and where the signal exceeds it; see `Binarizer.decide`."""
        return above(stretch.signal, float(np.quantile(stretch.signal, 0.5)))
