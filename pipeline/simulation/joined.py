"""The substrate `joined`: pairs whose members act on each other, so that each pair is a macro unit by the theory.

A motif is four units in two pairs. The members of the first pair turn each other OFF, those of the second keep each
other ON; the second pair turns the first ON, and the first turns the second OFF. What a pair does to the other hangs on
whether any of its units is ON, and no unit alone says how the loop stands: phi_s of the two pairs ("any ON") exceeds
phi_s of the four units, that of every other grouping of them under every mapping, and each pair is maximally
irreducible within (`iitcore.search_grains` has it for the winner; see docs/macro-units.md). The feedback is
negative, so that the motif as one unit predicts itself badly: with pairs that support each other the whole of them
would be the unit.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from pipeline.base.arrays import Floats
from pipeline.simulation.planted import MOTIF, PAIRS
from pipeline.simulation.substrate import Signed

STRENGTH = 2.0  # of every connection, of inputs -1 and +1 [logit]
LEVELS = (-1.0, -2.0)  # of the units of either pair [logit]
WITHIN = (-1.0, 1.0)  # sign of what the members of either pair do to each other
BETWEEN = (1.0, -1.0)  # sign of what either pair receives from the other


class Joined(Signed):
    """Pairs whose members act on each other, in loops of two: macro units that the theory accepts."""

    name: ClassVar[str] = "joined"
    summary: ClassVar[str] = "pairs whose members act on each other too: macro units that the theory accepts"
    methods: ClassVar[str] = (
        "logistic units in fours: two pairs in a loop of negative feedback, the members of one pair suppressing and "
        "those of the other supporting each other, couplings jittered by {jitter:.0%} between subjects"
    )
    least_units: ClassVar[int] = MOTIF
    planted: ClassVar[str] = "or"

    def draw(self, n: int, jitter: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Return weights and biases, every connection within a motif varied; see `Signed.draw`."""
        weights, level = np.zeros((n, n)), np.tile(np.repeat(LEVELS, 2), n // MOTIF)
        for first in range(0, n, MOTIF):
            own = slice(first, first + MOTIF)
            weights[own, own] = jitter * STRENGTH * rng.standard_normal((MOTIF, MOTIF)) + STRENGTH * _signs()
        return weights, level


def _signs() -> Floats:
    """Signs of the connections of one motif, in [u, j] from unit j to unit u; 0 of a unit with itself."""
    signs = np.zeros((MOTIF, MOTIF))
    for (a, b), other, within, between in zip(PAIRS, PAIRS[::-1], WITHIN, BETWEEN, strict=True):
        signs[[a, b], [b, a]] = within
        signs[np.ix_((a, b), other)] = between
    return signs
