"""The null without dynamics: whole frames in another order."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from pipeline.base.registry import Entry
from pipeline.nulls.drawn import Surrogates

if TYPE_CHECKING:
    from pipeline.base.arrays import Array, Ints


class NoDynamics(Entry):
    """Whole frames permuted over the window; its borders stay where they were."""

    name: ClassVar[str] = "no_dynamics"
    summary: ClassVar[str] = "transitions shuffled (no dynamics)"
    label: ClassVar[str] = "transitions shuffled"
    methods: ClassVar[str] = (
        "whole frames permuted over the window (keeps occupancy and simultaneous correlation, destroys dynamics)"
    )
    tests: ClassVar[str] = "a small p rejects that the next state does not depend on the present one"
    keeps: ClassVar[str] = "each frame's joint state, so occupancy and simultaneous correlation"
    breaks: ClassVar[str] = "all dynamics"
    acts_on: ClassVar[Literal["states", "traces"]] = "states"
    takes: ClassVar[tuple[str, ...]] = ("states", "traces")

    def draw(self, values: Array, runs: Ints, n: int, rng: np.random.Generator, lag: int = 1) -> Surrogates:
        """Draw `n` surrogates of values (frame, unit); see `Null.draw`."""
        drawn = np.empty((n, *values.shape), values.dtype)
        for surrogate in drawn:
            surrogate[:] = values[rng.permutation(len(values))]
        return Surrogates(drawn, runs)
