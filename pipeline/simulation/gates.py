"""The substrate `gates`."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from pipeline.base.arrays import Floats
from pipeline.base.raster import encode, states_of
from pipeline.simulation.regimes import Regime
from pipeline.simulation.substrate import Circumstances, Substrate, of_logits

TRUE = 0.85  # P(ON) where the gate holds, and 1 - P(ON) where it does not
TWO = 0.6  # probability that a gate has two inputs; else three


class Gates(Substrate):
    """Noisy gates of two or three other units: what no sum of inputs describes."""

    name: ClassVar[str] = "gates"
    summary: ClassVar[str] = "noisy AND, OR and majority gates of two or three other units"
    methods: ClassVar[str] = "noisy AND, OR and majority gates of two or three other units"
    least_units: ClassVar[int] = 3

    def draw(self, n: int, jitter: float, rng: np.random.Generator) -> Floats:
        """Return (2**n, n) how surely the gate of each unit holds after each state, around ±1; see `Substrate.draw`.

        It differs by `jitter` between the patterns of the gate's inputs. Where two of them are exactly as sure,
        cuts cost exactly as much, or exactly nothing, as in no substrate that is near.
        """
        states, sureness = states_of(n), np.empty((2**n, n))
        for unit in range(n):
            others = [i for i in range(n) if i != unit]
            inputs = 2 if rng.random() < TWO else min(3, n - 1)
            on = states[:, rng.choice(others, inputs, replace=False)]
            gate = (on.all(axis=1), on.any(axis=1), on.mean(axis=1) > 0.5)
            holds = gate[rng.integers(3)]
            spread = 1 + jitter * rng.standard_normal(2**inputs)
            sureness[:, unit] = np.where(holds, 1.0, -1.0) * spread[encode(on)]
        return sureness

    def regime(self, drawn: Floats, circumstances: Circumstances) -> Regime:
        """Return gates whose certainty falls with the coupling; see `Substrate.regime`."""
        sure = circumstances.coupling * np.log(TRUE / (1 - TRUE))
        return of_logits(sure * drawn, circumstances)
