"""The substrate that invented results are drawn from: planted pairs, coupled more or less."""

from __future__ import annotations

import numpy as np

from pipeline.base.raster import states_of

STATES = states_of(4)


def planted_pairs(coupling: float) -> np.ndarray:
    """P(ON) (2**4, 4) of the planted pairs {0,1} and {2,3}."""
    other = np.array([[0, 0, 1, 1], [0, 0, 1, 1], [1, 1, 0, 0], [1, 1, 0, 0]])
    return 1 / (1 + np.exp(-(-4 + 1.2 * (1 - coupling) + 3.5 * coupling * STATES @ other.T)))


def observational(coupling: float) -> np.ndarray:
    """What a recording would show: the same, and as if units followed each other, the weaker the coupling."""
    together = STATES.mean(axis=1, keepdims=True)
    return planted_pairs(coupling) * 0.8 + 0.2 * (coupling * planted_pairs(coupling) + (1 - coupling) * together)


def stationary(p_on: np.ndarray) -> np.ndarray:
    """Stationary occupancy of a unit TPM."""
    full = np.prod(np.where(STATES[None], p_on[:, None], 1 - p_on[:, None]), axis=2)
    occupancy = np.full(len(full), 1 / len(full))
    for _ in range(2000):
        occupancy = occupancy @ full
    return occupancy
