"""The null of independent linear units: a Gaussian autoregression each."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pipeline.nulls.drawn import Surrogates
from pipeline.nulls.gaussian import OfTraces, autoregressions

if TYPE_CHECKING:
    import numpy as np

    from pipeline.base.arrays import Array, Ints


class Ar1(OfTraces):
    """One Gaussian AR(1) per unit, with its mean, variance and lag-1 autocovariance; each run starts afresh."""

    name: ClassVar[str] = "ar1"
    summary: ClassVar[str] = "a Gaussian autoregression per unit, binarized anew (no interaction, nothing nonlinear)"
    label: ClassVar[str] = "independent Gaussian autoregressions"
    methods: ClassVar[str] = (
        "each unit's activity replaced by a Gaussian first-order autoregression and binarized like the data (keeps "
        "each unit's mean, variance and autocorrelation from frame to frame in the window, but not its share of time "
        "ON; destroys interaction and all that is nonlinear or has longer memory; estimated in each window by itself, "
        "so that no other condition enters)"
    )
    tests: ClassVar[str] = (
        "a small p rejects that the activity is that of independent units, each a Gaussian first-order autoregression"
    )
    keeps: ClassVar[str] = "each unit's mean, variance and lag-1 autocorrelation"
    breaks: ClassVar[str] = "every relation between units, and all nonlinearity"

    def draw(self, values: Array, runs: Ints, n: int, rng: np.random.Generator, lag: int = 1) -> Surrogates:
        """Draw `n` surrogates of traces (frame, unit); see `Null.draw`."""
        return Surrogates(autoregressions(values, runs, n, rng, coupled=False), runs)
