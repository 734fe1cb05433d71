"""Substrates with a known causal structure: planted pairs under a common slow drive.

A motif is four binary units in two pairs. Each unit is driven by the *other* pair,
`logit P(ON) = bias + drive + sum over the other pair of weight x ON`, so that the pairs are what
acts as a whole: phi_s of the two pairs exceeds phi_s of the four units. The drive is common to all
units and slow: it switches between -amplitude and +amplitude. It stands for influences from outside
the recorded units; it grows as the coupling is lost (anesthesia), and awake there is none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from pipeline.base.arrays import Array, Floats
from pipeline.base.raster import states_of

PAIRS = ((0, 1), (2, 3))
BIAS = -4.0  # logit of P(ON) of an awake unit while the other pair is OFF
WEIGHT = 3.5  # logit per ON unit of the other pair, awake
DRIVE = 0.8  # logit amplitude of the drive in units without any coupling
DRIVE_DWELL_S = 10.0  # mean time between two switches of the drive
ON_FRACTION = {"awake": None, "anesthesia": 0.10, "recovery": 0.125}  # None: as BIAS gives
MOST_UNITS = 8  # exact occupancies need the chain of 2**(n + 1) states


def joint(p_on: Floats) -> Floats:
    """Return the TPM of units that are independent given the past.

    Args:
        p_on: (2**n, n) P(ON) of each unit after each state.

    Returns:
        (2**n, 2**n) probabilities of the next state (column) given the state (row).

    >>> joint(np.array([[0.1], [0.8]])).round(3).tolist()
    [[0.9, 0.1], [0.2, 0.8]]
    """
    to = states_of(p_on.shape[1])
    tpm: Floats = np.where(to[None] == 1, p_on[:, None, :], 1 - p_on[:, None, :]).prod(axis=2)
    return tpm


@dataclass(frozen=True)
class Regime:
    """The substrate of one subject in one condition.

    Attributes:
        weights: (n, n) logit that unit i being ON adds to unit j, in [i, j].
        bias: logit of P(ON) without input.
        amplitude: of the common drive [logit].
        switching: probability per step that the drive changes its sign.
        coupling: weights relative to awake.
    """

    weights: Floats
    bias: float
    amplitude: float
    switching: float
    coupling: float

    @property
    def n(self) -> int:
        """Number of units."""
        return len(self.weights)

    @cached_property
    def p_on_low_high(self) -> Floats:
        """(2, 2**n, n) P(ON) under the low and the high drive."""
        from scipy.special import expit

        drives = np.array([-self.amplitude, self.amplitude])[:, None, None]
        p_on: Floats = expit(self.bias + drives + states_of(self.n) @ self.weights)
        return p_on

    @property
    def p_on(self) -> Floats:
        """(2**n, n) interventional TPM: P(ON | do(state)), drive averaged over its stationary law."""
        mean: Floats = self.p_on_low_high.mean(axis=0)
        return mean

    @cached_property
    def _stationary(self) -> Floats:
        """(2, 2**n) stationary probability of drive and state together."""
        stay, size = 1 - self.switching, 2**self.n
        drive = np.array([[stay, self.switching], [self.switching, stay]])
        blocks = np.stack([joint(p) for p in self.p_on_low_high])
        chain = np.einsum("ad,asu->asdu", drive, blocks).reshape(2 * size, 2 * size)
        equations = np.vstack([chain.T - np.eye(2 * size), np.ones(2 * size)])
        solution = np.linalg.lstsq(equations, np.append(np.zeros(2 * size), 1.0), rcond=None)[0]
        probability: Floats = np.clip(solution, 0, None).reshape(2, size)
        return probability

    @property
    def occupancy(self) -> Floats:
        """(2**n,) stationary probability of each state."""
        total: Floats = self._stationary.sum(axis=0)
        return total

    @property
    def p_on_observational(self) -> Floats:
        """(2**n, n) P(ON | state seen): what an unlimited recording without perturbation shows.

        It differs from `p_on` because a state also tells how the drive probably stands.
        """
        weighted: Floats = (self._stationary[:, :, None] * self.p_on_low_high).sum(axis=0)
        return weighted / self.occupancy[:, None]

    def motif(self, index: int) -> Regime:
        """Return one motif (four units) by itself; the motifs do not act on each other."""
        own = slice(4 * index, 4 * index + 4)
        return replace(self, weights=self.weights[own, own])

    def run(self, state: Array, steps: int, rng: np.random.Generator) -> Array:
        """Draw states.

        Args:
            state: (n,) state before the first.
            steps: how many states.
            rng: source of all chance.

        Returns:
            (steps, n) uint8 states that follow `state`.
        """
        from scipy.special import expit

        switches = rng.random(steps) < self.switching
        drive = self.amplitude * rng.choice([-1, 1]) * np.where(np.cumsum(switches) % 2, -1, 1)
        luck = rng.random((steps, self.n))
        path = np.empty((steps, self.n), np.uint8)
        for t in range(steps):
            state = luck[t] < expit(self.bias + drive[t] + state @ self.weights)
            path[t] = state
        return path


def couplings(motifs: int, jitter: float, rng: np.random.Generator) -> Floats:
    """Return the awake weights of one subject: unconnected repeats of the pairs.

    Within a motif every connection, those of weight 0 included, varies with standard deviation
    `jitter` x WEIGHT: in no animal is a connection exactly absent or two exactly equal. Without any
    jitter the two units of a pair are interchangeable and their cause and effect states tie.

    Args:
        motifs: number of repeats; n is four times that.
        jitter: standard deviation of a connection, relative to WEIGHT.
        rng: generator that draws it.

    Returns:
        (n, n) logit that unit i being ON adds to unit j, in [i, j].
    """
    weights = np.zeros((4 * motifs, 4 * motifs))
    for first in range(0, 4 * motifs, 4):
        own = slice(first, first + 4)
        weights[own, own] = jitter * WEIGHT * rng.standard_normal((4, 4))
        for source, target in (PAIRS, PAIRS[::-1]):
            weights[np.ix_(np.add(source, first), np.add(target, first))] += WEIGHT
    return weights


def regime(weights: Floats, condition: str, relative_coupling: float, step_s: float) -> Regime:
    """Return the substrate in a condition: weights scaled, drive added, ON fraction set by the bias.

    Args:
        weights: (n, n) awake weights.
        condition: a key of ON_FRACTION.
        relative_coupling: coupling relative to awake; the drive's amplitude is its complement.
        step_s: update interval of the substrate [s].
    """
    from scipy.optimize import brentq

    amplitude = DRIVE * (1 - relative_coupling)
    switching = min(0.5, step_s / DRIVE_DWELL_S)
    goal = ON_FRACTION[condition]
    motif = weights[:4, :4] * relative_coupling

    def on_fraction(bias: float) -> float:
        alone = Regime(motif, bias, amplitude, switching, relative_coupling)
        return float((alone.occupancy @ states_of(4)).mean())

    # The motifs do not act on each other, so the first one's bias serves them all.
    bias = BIAS if goal is None else float(brentq(lambda b: on_fraction(b) - goal, -12.0, 4.0))
    return Regime(weights * relative_coupling, bias, amplitude, switching, relative_coupling)
