"""Calcium indicators: how the light of one transient rises and falls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.base.arrays import Array, Floats


@dataclass(frozen=True)
class Kinetics:
    """A transient `(1 - exp(-t / rise)) * exp(-t / decay)`.

    Attributes:
        rise_s: time constant of the rise [s].
        decay_s: time constant of the decay [s].

    >>> round(Kinetics(0.07, 0.7).peak_s, 2)
    0.17
    """

    rise_s: float
    decay_s: float

    @property
    def fast_s(self) -> float:
        """Time constant of the exponential that is taken off the decay [s]."""
        return 1 / (1 / self.decay_s + 1 / self.rise_s)

    @property
    def peak_s(self) -> float:
        """Time from the onset to the peak [s]."""
        return float(self.rise_s * np.log1p(self.decay_s / self.rise_s))

    @property
    def height(self) -> float:
        """Value at the peak."""
        return float(self.at(np.array(self.peak_s)))

    def at(self, time_s: Array) -> Floats:
        """Return the transient at times after the onset [s]; 0 before it."""
        later = np.maximum(time_s, 0.0)
        value: Floats = np.exp(-later / self.decay_s) - np.exp(-later / self.fast_s)
        return value


# Of single action potentials. GCaMP6: time to the peak 179 and 45 ms, from there to its half 550 and 142 ms, in mouse
# visual cortex (Chen et al. 2013, supplementary table 3). jGCaMP8m: half of the rise 7.1 ms, half of the decay 118 ms,
# in cultured neurons (Zhang et al. 2023). The constants give these times to 7 %.
INDICATORS = {
    "GCaMP6s": Kinetics(0.07, 0.7),
    "GCaMP6f": Kinetics(0.0194, 0.178),
    "jGCaMP8m": Kinetics(0.0152, 0.149),
}
REFERENCES = (
    "Chen TW, Wardill TJ, Sun Y, et al. (2013). Ultrasensitive fluorescent proteins for imaging neuronal activity. "
    "Nature 499: 295-300.",
    "Zhang Y, Rózsa M, Liang Y, et al. (2023). Fast and sensitive GCaMP calcium indicators for imaging neural "
    "populations. Nature 615: 884-891.",
)
