"""The null of shared drift: Gaussian random walks."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pipeline.nulls.drawn import Surrogates
from pipeline.nulls.gaussian import OfTraces, random_walks

if TYPE_CHECKING:
    import numpy as np

    from pipeline.base.arrays import Array, Ints


class Brownian(OfTraces):
    """Random walks with the covariance of the data's increments, each run from its own first frame.

    A walk drifts out of the range of its window. Under thresholds that windows share, many walks are ON, or OFF,
    throughout one of them, and are left out; `binarize.per_window` keeps more.
    """

    name: ClassVar[str] = "brownian"
    summary: ClassVar[str] = "Gaussian random walks, binarized anew (nothing but slow shared drift)"
    label: ClassVar[str] = "Gaussian random walks"
    methods: ClassVar[str] = (
        "the units' activity replaced by Gaussian random walks and binarized like the data (keeps the covariance of "
        "the changes from frame to frame in the window, but not the units' shares of time ON; destroys everything but "
        "slow shared drift; estimated in each window by itself, so that no other condition enters)"
    )
    tests: ClassVar[str] = "a small p rejects that the activity is nothing but slow drift that the units share"
    keeps: ClassVar[str] = "the covariance of increments"
    breaks: ClassVar[str] = "everything but slow shared drift"

    def draw(self, values: Array, runs: Ints, n: int, rng: np.random.Generator, lag: int = 1) -> Surrogates:
        """Draw `n` surrogates of traces (frame, unit); see `Null.draw`."""
        return Surrogates(random_walks(values, runs, n, rng), runs)
