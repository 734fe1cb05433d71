"""Local search among groupings: what moving a unit, swapping two, another threshold, or joining two blocks would do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, product
from typing import NamedTuple

import numpy as np

from pipeline.base.arrays import Array, Floats, Ints
from pipeline.base.raster import states_of
from pipeline.macro.groupings import TIE, Grouping, allowed_thresholds, canonical
from pipeline.macro.objectives import EI, Objective

Blocks = tuple[tuple[int, ...], ...]
KEPT = 4  # groupings of a scale from which those of the next are made
RANDOM_STARTS = 4  # of each scale


class Micro(NamedTuple):
    """Micro TPMs of the same units, in which one grouping is looked for.

    Attributes:
        p_on: (window, state, unit) P(ON next | state).
        visits: (window, state) frames in each state.
    """

    p_on: Floats
    visits: Array

    @classmethod
    def of(cls, p_on: Floats, visits: Array | None = None) -> Micro:
        """Return TPMs (window, state, unit) with their visits; without any every state counts alike."""
        return cls(p_on, np.ones(p_on.shape[:2]) if visits is None else np.asarray(visits))


class Candidate(NamedTuple):
    """A hard grouping: the units of each macro unit, and how many of them have to be ON.

    Attributes:
        blocks: (macro unit,) the units of each, in the order of their first members.
        ks: (macro unit,) least number of ON units that turns it ON.
    """

    blocks: Blocks
    ks: tuple[int, ...]

    @classmethod
    def of(cls, blocks: Sequence[Sequence[int]], ks: Sequence[int]) -> Candidate:
        """Return the candidate of these blocks and thresholds, in whatever order they come."""
        ordered = sorted((tuple(sorted(block)), int(k)) for block, k in zip(blocks, ks, strict=True))
        return cls(tuple(block for block, _ in ordered), tuple(k for _, k in ordered))

    @classmethod
    def of_group(cls, group: Sequence[int], ks: Sequence[int]) -> Candidate:
        """Return the candidate with macro unit `group` (unit,) of each unit, thresholds numbered alike."""
        return cls.of([[i for i, g in enumerate(group) if g == j] for j in range(len(ks))], ks)

    def grouping(self, allowed: Sequence[str], objective: float) -> Grouping:
        """Return it with the names of its mappings, and what it is worth."""
        place = {i: j for j, block in enumerate(self.blocks) for i in block}
        named = canonical([place[i] for i in sorted(place)], self.ks, allowed)
        return Grouping(named.group, named.mapping, objective)


class Ascent:
    """Steepest ascent of an objective from a hard grouping; what was computed for a block is kept.

    Args:
        micro: micro TPMs; a grouping is worth the mean of its values in them.
        allowed: state mappings that a macro unit may take.
        objective: what is climbed.
    """

    def __init__(self, micro: Micro, allowed: Sequence[str], objective: Objective = EI) -> None:
        self.micro = micro
        self.allowed = allowed
        self.objective = objective
        self.bits = states_of(micro.p_on.shape[-1])
        self._tails: dict[tuple[int, ...], tuple[Ints, Floats]] = {}
        self._values: dict[Candidate, float] = {}

    def run(self, start: Candidate) -> Candidate:
        """Climb until no neighbour is better.

        Args:
            start: from where.
        """
        here = start
        while True:
            around = list(self.neighbours(here))
            values = self.values([here, *around])
            best = int(np.argmax(values))
            if values[best] <= values[0] + TIE:
                return here
            here = around[best - 1]

    def neighbours(self, of: Candidate) -> Iterator[Candidate]:
        """Yield the groupings that differ in one threshold, in where one unit is, or in two units swapped.

        Args:
            of: a grouping.
        """
        blocks = of.blocks
        for j, block in enumerate(blocks):
            yield from self._rethought(of, {j: block})
            for i, other in product(block, range(len(blocks))):
                if other != j and len(block) > 1:
                    yield from self._rethought(of, {j: set(block) - {i}, other: {*blocks[other], i}})
        for a, b in combinations(range(len(blocks)), 2):
            for i, j in product(blocks[a], blocks[b]):
                changed = dict(enumerate(blocks)) | {
                    a: (*(set(blocks[a]) - {i}), j),
                    b: (*(set(blocks[b]) - {j}), i),
                }
                yield Candidate.of(list(changed.values()), of.ks)

    def merges(self, of: Candidate) -> Iterator[Candidate]:
        """Yield the groupings that join two macro units of a grouping, with every threshold that the union may have.

        Args:
            of: a grouping of at least two macro units.
        """
        pairs = list(zip(of.blocks, of.ks, strict=True))
        for a, b in combinations(range(len(pairs)), 2):
            rest = [pair for j, pair in enumerate(pairs) if j not in (a, b)]
            union = (*of.blocks[a], *of.blocks[b])
            for k in allowed_thresholds(len(union), self.allowed):
                yield Candidate.of([*(block for block, _ in rest), union], [*(own for _, own in rest), k])

    def at_random(self, size: int, n: int, rng: np.random.Generator) -> list[Candidate]:
        """Return random groupings of about equal blocks, each with its lowest threshold.

        Args:
            size: number of macro units.
            n: how many.
            rng: source of chance.
        """
        units = np.arange(self.micro.p_on.shape[-1]) % size
        groups = [rng.permutation(units).tolist() for _ in range(n)]
        lowest = {count: allowed_thresholds(count, self.allowed)[0] for count in set(np.bincount(units).tolist())}
        return [Candidate.of_group(group, [lowest[group.count(j)] for j in range(size)]) for group in groups]

    def values(self, candidates: Sequence[Candidate]) -> Floats:
        """Return what groupings of equally many macro units are worth, (candidate,): the mean over the windows.

        Args:
            candidates: the groupings.
        """
        new = [c for c in dict.fromkeys(candidates) if c not in self._values]
        if new:
            self._values.update(zip(new, map(float, self._computed(new)), strict=True))
        return np.array([self._values[c] for c in candidates])

    def best(self, candidates: Sequence[Candidate], most: int) -> list[Candidate]:
        """Return the best of some groupings, at most so many, the first of equal ones first.

        Args:
            candidates: of equally many macro units.
            most: how many.
        """
        distinct = list(dict.fromkeys(candidates))
        order = np.argsort(-self.values(distinct), kind="stable")
        return [distinct[i] for i in order[:most]]

    def _computed(self, candidates: Sequence[Candidate]) -> Floats:
        n_states, m = len(self.bits), len(candidates[0].ks)
        size, later = 2**m, []
        code = np.zeros((len(candidates), n_states), dtype=np.int64)
        for j in range(m):
            parts = [(self._tail(c.blocks[j]), c.ks[j] - 1) for c in candidates]
            code += np.array([on[k] for (on, _), k in parts]) << j
            later.append(np.stack([chance[:, k] for (_, chance), k in parts], axis=1))  # (window, candidate, state)
        place = (code + size * np.arange(len(candidates))[:, None]).ravel()
        every = size * len(candidates)
        total = np.bincount(place, minlength=every)

        def summed(weights: Floats) -> Floats:
            return np.bincount(place, weights=weights.ravel(), minlength=every).astype(float)

        found = []
        for window, seen in enumerate(self.micro.visits):
            p_on = np.stack([summed(chance[window]) / total for chance in later], axis=1)
            visits = summed(np.broadcast_to(seen, code.shape).astype(float))
            found.append(self.objective.values(p_on.reshape(-1, size, m), visits.reshape(-1, size)))
        return np.asarray(np.mean(found, axis=0))

    def _rethought(self, of: Candidate, new: dict[int, Sequence[int] | set[int]]) -> Iterator[Candidate]:
        """The same blocks but for `new`, these with every threshold that they may have."""
        blocks = list((dict(enumerate(of.blocks)) | new).values())
        for ks in product(*(allowed_thresholds(len(new[j]), self.allowed) for j in new)):
            told = dict(enumerate(of.ks)) | dict(zip(new, ks, strict=True))
            yield Candidate.of([tuple(block) for block in blocks], list(told.values()))

    def _tail(self, block: tuple[int, ...]) -> tuple[Ints, Floats]:
        """Whether at least k = 1.. units are ON, (k, state), and the chance that they are next, (window, k, state)."""
        if block not in self._tails:
            p_on = self.micro.p_on
            count = np.zeros((len(p_on), len(block) + 1, len(self.bits)))
            count[:, 0] = 1.0
            for i in block:
                p = p_on[:, None, :, i]
                count[:, 1:] = count[:, 1:] * (1 - p) + count[:, :-1] * p
                count[:, 0] *= 1 - p[:, 0]
            now = self.bits[:, list(block)].sum(axis=1) >= np.arange(1, len(block) + 1)[:, None]
            self._tails[block] = now.astype(np.int64), np.cumsum(count[:, ::-1], axis=1)[:, ::-1][:, 1:]
        return self._tails[block]


class Descent:
    """Good groupings at one scale after the other, from the units down.

    At each scale the best groupings of the scale above are merged, every two macro units in turn, and the best of these
    climb, beside random ones. Nothing is done twice: a scale takes those above it as they are.

    Args:
        ascent: of the micro TPMs.
        known: (scale) groupings that are known already; filled further.
    """

    def __init__(self, ascent: Ascent, known: dict[int, list[Candidate]] | None = None) -> None:
        n = ascent.micro.p_on.shape[-1]
        self.ascent = ascent
        self.tops = {} if known is None else known
        self.tops.setdefault(n, [Candidate(tuple((i,) for i in range(n)), (1,) * n)])

    def at(self, size: int) -> list[Candidate]:
        """Return the best groupings of a scale, the best first.

        Args:
            size: number of macro units.
        """
        if size not in self.tops:
            ascent = self.ascent
            merged = [c for top in self.at(size + 1) for c in ascent.merges(top)]
            random = ascent.at_random(size, RANDOM_STARTS, np.random.default_rng(size))
            starts = [*ascent.best(merged, KEPT), *random]
            self.tops[size] = ascent.best([ascent.run(start) for start in starts], KEPT)
        return self.tops[size]
