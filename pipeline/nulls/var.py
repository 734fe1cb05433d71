"""The null of linear interaction: one Gaussian autoregression of all units."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pipeline.nulls.drawn import Surrogates
from pipeline.nulls.gaussian import OfTraces, autoregressions

if TYPE_CHECKING:
    import numpy as np

    from pipeline.base.arrays import Array, Ints


class Var(OfTraces):
    """A Gaussian VAR(1) with the data's mean and covariances at lags 0 and 1; each run starts afresh."""

    name: ClassVar[str] = "var"
    summary: ClassVar[str] = "a Gaussian vector autoregression, binarized anew (nothing nonlinear)"
    label: ClassVar[str] = "Gaussian vector autoregression"
    methods: ClassVar[str] = (
        "the units' activity replaced by a Gaussian first-order vector autoregression and binarized like the data "
        "(keeps the units' means and their covariances within and from frame to frame in the window, so linear "
        "interaction, but not their shares of time ON; destroys all that is nonlinear or has longer memory; estimated "
        "in each window by itself, so that no other condition enters)"
    )
    tests: ClassVar[str] = "a small p rejects that the units act on each other as a linear Gaussian system only"
    keeps: ClassVar[str] = "means, and covariances at lags 0 and 1"
    breaks: ClassVar[str] = "all that is nonlinear or has longer memory"

    def draw(self, values: Array, runs: Ints, n: int, rng: np.random.Generator, lag: int = 1) -> Surrogates:
        """Draw `n` surrogates of traces (frame, unit); see `Null.draw`."""
        return Surrogates(autoregressions(values, runs, n, rng, coupled=True), runs)
