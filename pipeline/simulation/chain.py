"""The substrate `chain`."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from pipeline.base.arrays import Floats
from pipeline.simulation.substrate import Signed

WEIGHT, SPREAD = 1.0, 0.3  # from each unit to the next [logit]
SELF = 0.5  # spread of what a unit does to itself [logit]
BIAS = -0.5


class OneWay(Signed):
    """Each unit acts on the next one and on itself: influence that never comes back."""

    name: ClassVar[str] = "chain"
    summary: ClassVar[str] = "each unit acts on the next one only (one way: phi_s of all units is 0)"
    methods: ClassVar[str] = "a one-way chain of logistic units"
    reducible: ClassVar[bool] = True

    def draw(self, n: int, jitter: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Return weights and biases; see `Signed.draw`."""
        weights = np.diag(rng.normal(0, SELF, n))
        weights[np.arange(1, n), np.arange(n - 1)] = rng.normal(WEIGHT, SPREAD, n - 1)
        return weights, np.full(n, BIAS)
