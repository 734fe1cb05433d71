"""The substrate `slow`."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from pipeline.base.arrays import Floats
from pipeline.simulation.regimes import Regime
from pipeline.simulation.substrate import Circumstances, Signed, of_sums

SELF, SPREAD = 2.0, 0.3  # what a unit does to itself [logit]
BIAS = -0.5


class Slow(Signed):
    """Units that act on themselves only and stay as they are for several steps."""

    name: ClassVar[str] = "slow"
    summary: ClassVar[str] = "independent units that persist for several steps (phi_s of all units is 0)"
    methods: ClassVar[str] = "independent units that persisted for several steps"
    reducible: ClassVar[bool] = True

    def draw(self, n: int, jitter: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Return weights and biases; see `Signed.draw`."""
        return np.diag(rng.normal(SELF, SPREAD, n)), np.full(n, BIAS)

    def regime(self, drawn: tuple[Floats, Floats], circumstances: Circumstances) -> Regime:
        """Return the units: no coupling joins them that a condition could weaken; see `Substrate.regime`."""
        signed, level = drawn
        return of_sums(2 * signed.T, level - signed.sum(axis=1), circumstances)
