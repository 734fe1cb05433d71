"""The substrate `dense`."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from pipeline.base.arrays import Floats
from pipeline.simulation.substrate import Signed

SPREAD = 0.6  # of the weights [logit]
BIAS, BIAS_SPREAD = -0.5, 0.5  # of the units [logit]


class Dense(Signed):
    """Every unit acts on every unit, with random weights around 0."""

    name: ClassVar[str] = "dense"
    summary: ClassVar[str] = "logistic units that all act on each other with random weights"
    methods: ClassVar[str] = "logistic units that all acted on each other with random weights"

    def draw(self, n: int, jitter: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Return weights and biases; see `Signed.draw`."""
        return dense(n, rng)


def dense(n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return weights (n, n) and biases (n,) of a dense network.

    Args:
        n: number of units.
        rng: source of all chance.
    """
    return rng.normal(0, SPREAD, (n, n)), rng.normal(BIAS, BIAS_SPREAD, n)
