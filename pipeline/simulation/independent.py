"""The substrate `independent`."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from pipeline.base.arrays import Floats
from pipeline.simulation.substrate import Signed

BIAS, SPREAD = -1.5, 0.5  # of the units [logit]


class Independent(Signed):
    """Units that nothing acts on: each step a toss of its own."""

    name: ClassVar[str] = "independent"
    summary: ClassVar[str] = "independent units without memory (phi_s of all units is 0)"
    methods: ClassVar[str] = "independent units without memory"
    reducible: ClassVar[bool] = True

    def draw(self, n: int, jitter: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Return weights, all 0, and biases; see `Signed.draw`."""
        return np.zeros((n, n)), rng.normal(BIAS, SPREAD, n)
