"""The substrate `sparse`."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from pipeline.base.arrays import Floats
from pipeline.simulation.substrate import Signed

SHARE = 0.4  # of the connections that are there
SPREAD = 1.0  # of their weights [logit]
BIAS, BIAS_SPREAD = -0.5, 0.5  # of the units [logit]


class Sparse(Signed):
    """Few and strong connections, each there with probability 0.4."""

    name: ClassVar[str] = "sparse"
    summary: ClassVar[str] = "logistic units with few, strong random connections"
    methods: ClassVar[str] = "logistic units of which 40% of the ordered pairs were connected at random"

    def draw(self, n: int, jitter: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Return weights and biases; see `Signed.draw`."""
        there = rng.random((n, n)) < SHARE
        weights = np.where(there, rng.normal(0, SPREAD, (n, n)), 0.0)
        return weights, rng.normal(BIAS, BIAS_SPREAD, n)
