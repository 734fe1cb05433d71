"""Local search among groupings: what moving a unit, swapping two, or another threshold would do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, product

import numpy as np

from pipeline.base.arrays import Floats, Ints
from pipeline.base.raster import states_of
from pipeline.emergence.discrete import effective_information, state_by_state
from pipeline.macro.groupings import TIE, allowed_thresholds

Blocks = tuple[tuple[int, ...], ...]


class Ascent:
    """Steepest ascent of the macro EI from a hard grouping; what was computed for a block is kept.

    Args:
        p_on: (state, unit) micro TPM.
        allowed: state mappings that a macro unit may take.
    """

    def __init__(self, p_on: Floats, allowed: Sequence[str]) -> None:
        self.p_on = p_on
        self.allowed = allowed
        self.bits = states_of(p_on.shape[1])
        self._tails: dict[tuple[int, ...], tuple[Ints, Floats]] = {}
        self._values: dict[tuple[Blocks, tuple[int, ...]], float] = {}

    def run(self, group: Sequence[int], ks: Sequence[int]) -> tuple[list[int], list[int]]:
        """Climb until no neighbour is better.

        Args:
            group: (unit,) macro unit of each unit.
            ks: (macro unit,) least number of ON units that turns it ON.

        Returns:
            Both, at the top.
        """
        blocks = tuple(tuple(i for i, g in enumerate(group) if g == j) for j in range(len(ks)))
        here = (blocks, tuple(ks))
        while True:
            best = max(self.neighbours(*here), key=lambda n: self.value(*n), default=here)
            if self.value(*best) <= self.value(*here) + TIE:
                break
            here = best
        block_of = {i: j for j, block in enumerate(here[0]) for i in block}
        return [block_of[i] for i in sorted(block_of)], list(here[1])

    def neighbours(self, blocks: Blocks, ks: tuple[int, ...]) -> Iterator[tuple[Blocks, tuple[int, ...]]]:
        """Yield the groupings that differ in one threshold, in where one unit is, or in two units swapped.

        Args:
            blocks: (macro unit,) the units of each.
            ks: (macro unit,) least number of ON units that turns it ON.
        """
        for j, block in enumerate(blocks):
            yield from self._rethought(blocks, ks, (j,))
            for i, other in product(block, range(len(blocks))):
                if other != j and len(block) > 1:
                    moved = {j: set(block) - {i}, other: {*blocks[other], i}}
                    yield from self._rethought(_changed(blocks, moved), ks, (j, other))
        for a, b in combinations(range(len(blocks)), 2):
            for i, j in product(blocks[a], blocks[b]):
                swapped = {a: {*blocks[a], j} - {i}, b: {*blocks[b], i} - {j}}
                yield _changed(blocks, swapped), ks

    def value(self, blocks: Blocks, ks: tuple[int, ...]) -> float:
        """Return the effective information [bit] of the macro TPM of these blocks and thresholds.

        Args:
            blocks: (macro unit,) the units of each.
            ks: (macro unit,) least number of ON units that turns it ON.
        """
        if (blocks, ks) not in self._values:
            parts = [self._tail(b) for b in blocks]
            code = sum((on[k - 1] << j) for j, ((on, _), k) in enumerate(zip(parts, ks, strict=True)))
            total = np.bincount(code, minlength=2 ** len(ks))
            macro = [
                np.bincount(code, weights=later[k - 1], minlength=len(total)) / total
                for (_, later), k in zip(parts, ks, strict=True)
            ]
            tpm = state_by_state(np.stack(macro, axis=1))
            self._values[blocks, ks] = float(effective_information(tpm))
        return self._values[blocks, ks]

    def _rethought(
        self, blocks: Blocks, ks: tuple[int, ...], which: tuple[int, ...]
    ) -> Iterator[tuple[Blocks, tuple[int, ...]]]:
        """The same blocks with every threshold that the blocks `which` may have."""
        for new in product(*(allowed_thresholds(len(blocks[j]), self.allowed) for j in which)):
            yield (
                blocks,
                tuple(dict(zip(which, new, strict=True)).get(j, k) for j, k in enumerate(ks)),
            )

    def _tail(self, block: tuple[int, ...]) -> tuple[Ints, Floats]:
        """Whether at least k = 1.. units are ON now, and the chance that they are next, (k, micro state)."""
        if block not in self._tails:
            count = np.zeros((len(block) + 1, len(self.p_on)))
            count[0] = 1.0
            for i in block:
                p = self.p_on[:, i]
                count[1:] = count[1:] * (1 - p) + count[:-1] * p
                count[0] *= 1 - p
            now = self.bits[:, list(block)].sum(axis=1) >= np.arange(1, len(block) + 1)[:, None]
            self._tails[block] = now.astype(np.int64), np.cumsum(count[::-1], axis=0)[::-1][1:]
        return self._tails[block]


def _changed(blocks: Blocks, new: dict[int, set[int]]) -> Blocks:
    return tuple(tuple(sorted(new[j])) if j in new else b for j, b in enumerate(blocks))
