"""The substrate `pairs`: planted pairs under a common slow drive.

A motif is four binary units in two pairs. Each unit is driven by the *other* pair,
`logit P(ON) = bias + drive + sum over the other pair of weight x ON`, so that the pairs are what
acts as a whole: phi_s of the two pairs exceeds phi_s of the four units. The drive is common to all
units and slow. It stands for influences from outside the recorded units; where a study does not say
otherwise it grows as the coupling is lost (anesthesia), and awake there is none.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np

from pipeline.base.arrays import Floats
from pipeline.simulation.drives import Drive, Telegraph
from pipeline.simulation.regimes import Regime
from pipeline.simulation.substrate import Circumstances, Substrate, of_sums

PAIRS = ((0, 1), (2, 3))
MOTIF = 4  # units of two pairs, which repeat
BIAS = -4.0  # logit of P(ON) of an awake unit while the other pair is OFF
WEIGHT = 3.5  # logit per ON unit of the other pair, awake
DRIVE = 0.8  # logit amplitude of the drive in units without any coupling
DRIVE_DWELL_S = 10.0  # mean time between two switches of the drive
ON_FRACTION = {"awake": None, "anesthesia": 0.10, "recovery": 0.125}  # None: as BIAS gives


class Pairs(Substrate):
    """Pairs that act on each other as wholes, in motifs of four units."""

    name: ClassVar[str] = "pairs"
    summary: ClassVar[str] = "planted pairs that act on each other as wholes; rates kept alike over conditions"
    methods: ClassVar[str] = (
        "{motifs} motif{plural} of two planted pairs, couplings jittered by {jitter:.0%} between subjects"
    )
    least_units: ClassVar[int] = MOTIF
    planted: ClassVar[str] = "and"

    def draw(self, n: int, jitter: float, rng: np.random.Generator) -> Floats:
        """Return the awake weights of one subject; see `couplings`."""
        return couplings(n // 4, jitter, rng)

    def regime(self, drawn: Floats, circumstances: Circumstances) -> Regime:
        """Return the pairs, their ON fraction set by the bias; see `Substrate.regime`."""
        from scipy.optimize import brentq

        goal = ON_FRACTION[circumstances.condition]
        weights = drawn * circumstances.coupling
        # The motifs do not act on each other, so the first one's bias serves them all. A drift is no part of it.
        alone = replace(circumstances, drift=0.0)

        def excess(bias: float) -> float:
            return float(of_sums(weights[:4, :4], bias, alone).on_fraction.mean() - (goal or 0.0))

        bias = BIAS if goal is None else float(brentq(excess, -12.0, 4.0))
        return of_sums(weights, bias, circumstances)


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


def usual_amplitude(coupling: float) -> float:
    """Return the amplitude of the drive that goes with a coupling relative to awake [logit]."""
    return DRIVE * (1 - coupling)


def regime(
    weights: Floats, condition: str, relative_coupling: float, step_s: float, drive: Drive | None = None
) -> Regime:
    """Return the pairs in a condition: weights scaled, drive added, ON fraction set by the bias.

    Args:
        weights: (n, n) awake weights.
        condition: a key of ON_FRACTION.
        relative_coupling: coupling relative to awake.
        step_s: update interval of the substrate [s].
        drive: what acts from outside; by default a telegraph whose amplitude is the complement of the coupling.
    """
    usual = Telegraph(usual_amplitude(relative_coupling), DRIVE_DWELL_S / step_s)
    given = Circumstances(condition, relative_coupling, usual if drive is None else drive, step_s=step_s)
    return Pairs().regime(weights, given)
