"""The binarizer `quantile`."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from pipeline.base.arrays import Bools
from pipeline.base.parameters import Section
from pipeline.binarize.binarizer import Binarizer, Stretch, above


class Quantile(Binarizer):
    """ON above a quantile of the unit's signal: every unit is ON equally often."""

    name = "quantile"
    summary = "mean over the bin above a quantile of it"
    methods = "ON where its mean over the bin exceeded the {quantile:g} quantile"
    fix = "lower binarize.quantile, or use the method events"

    class Parameters(Section):
        """Fields of the method `quantile`."""

        quantile: Annotated[float, Field(gt=0, lt=1)] = Field(
            0.85, description="Threshold, as a quantile of the signal"
        )

    def decide(self, stretch: Stretch, parameters: Parameters) -> tuple[float, Bools]:
        """Return the quantile and where the signal exceeds it; see `Binarizer.decide`."""
        return above(stretch.signal, float(np.quantile(stretch.signal, parameters.quantile)))
