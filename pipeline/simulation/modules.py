"""The substrate `modules`."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from pipeline.base.arrays import Floats
from pipeline.simulation.dense import dense
from pipeline.simulation.substrate import Signed


class Modules(Signed):
    """Two dense networks that do not act on each other: much interaction, and nothing integrated."""

    name: ClassVar[str] = "modules"
    summary: ClassVar[str] = "two dense networks that do not act on each other (phi_s of all units is 0)"
    methods: ClassVar[str] = "two dense logistic networks that did not act on each other"
    reducible: ClassVar[bool] = True

    def draw(self, n: int, jitter: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Return weights and biases; see `Signed.draw`."""
        first = n - n // 2
        weights, parts = np.zeros((n, n)), []
        for own in (slice(0, first), slice(first, n)):
            weights[own, own], bias = dense(len(range(n)[own]), rng)
            parts.append(bias)
        return weights, np.concatenate(parts)
