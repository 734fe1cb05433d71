"""Which sets of micro units are maximally irreducible within.

Source: Marshall, Findlay, Albantakis & Tononi 2024, "Intrinsic Units" (Eqs. 15-16), as `grains` says it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import chain, combinations, product

import numpy as np

from iitcore._arrays import Bools, Floats
from iitcore._grain_phi import Bodies, Body, GrainPhi, Group, Groups, bodies
from iitcore.grain_results import Grain, Irreducibility

TIE = 1e-10
_SAME = 1e-12  # probabilities that differ by less are equal
ALL_GROUPINGS = 6  # micro units up to which every grouping of every subset is tried


class Validity:
    """Memory of which sets of micro units are maximally irreducible within.

    Args:
        phi: phi_s of systems.
        grains: update grains tried, besides 1.
    """

    def __init__(self, phi: GrainPhi, grains: Sequence[int]) -> None:
        self.phi, self.grains = phi, tuple(sorted({1, *grains}))
        self.found: dict[tuple[Group, Group], Irreducibility] = {}
        self._acts = _influences(phi.sub.tpm)

    def of(self, group: Group, lent: Group = ()) -> Irreducibility:
        """The verdict on a set of micro units with some background (Eqs. 15-16).

        Args:
            group: micro units, ascending.
            lent: background apportioned to them.
        """
        if (group, lent) not in self.found:
            self.found[group, lent] = self._judge(group, lent)
        return self.found[group, lent]

    def units(self, groups: Groups, grain: int, lent: Sequence[Group] = ()) -> tuple[Bodies | None, str | None]:
        """The valid units that groups of micro units are; or why some are not.

        Args:
            groups: micro units of each macro unit.
            grain: micro updates per macro update.
            lent: background apportioned to each.
        """
        found = []
        for group, own in zip(groups, lent or [()] * len(groups), strict=True):
            if len(group) == 1 and grain == 1:
                found.append(Body(group))
                continue
            verdict = self.of(group, own)
            mesos = verdict.through
            if not verdict.holds:
                return None, verdict.reason
            if mesos and grain % mesos[0].update_grain:
                slow = mesos[0].update_grain
                return None, f"{verdict.reason}: of meso units of update grain {slow}, which does not divide {grain}"
            order = tuple(i for m in mesos for c in m.constituents for i in self.phi.sub.indices([c]))
            found.append(Body(order or group, mesos, own))
        return tuple(found), None

    def apportioned(self, groups: Groups, grain: int, free: Group, most: int) -> Iterator[tuple[Group, ...]]:
        """Ways to apportion some of the free background to groups that can matter; nothing apportioned is none of them.

        Args:
            groups: micro units of each macro unit.
            grain: micro updates per macro update.
            free: background.
            most: units apportioned at most.
        """
        for places in product(range(len(groups) + 1), repeat=len(free)) if grain > 1 else ():
            placed = list(zip(free, places, strict=True))
            lent = tuple(tuple(w for w, p in placed if p == k) for k in range(1, len(groups) + 1))
            if 0 < sum(map(len, lent)) <= most and self._matters(groups, grain, lent):
                yield lent

    def _matters(self, groups: Groups, grain: int, lent: Sequence[Group]) -> bool:
        """Whether each background unit is acted on, and acts on a constituent before the window ends.

        It is acted on by what it is apportioned to, and with; what it acts on are constituents, and background that
        keeps it as an input. Without the one or the other it is noise, apportioned or not; unless it is the input of
        background that matters.
        """
        own = [((*g, *w), w) for g, w in zip(groups, lent, strict=True)]
        late = np.zeros(len(self._acts), dtype=bool)
        late[[i for g in groups for i in g]] = True
        acts = np.zeros_like(self._acts)
        acts[:, late] = self._acts[:, late]
        for kept, through in own:
            acts[np.ix_(kept, through)] = self._acts[np.ix_(kept, through)]
        for _ in range(grain - 1):
            late |= acts[:, late].any(axis=1)
        matters = late & acts.any(axis=0)
        return all(matters[w] or (acts[w] & matters)[list(through)].any() for _, through in own for w in through)

    def _judge(self, group: Group, lent: Group) -> Irreducibility:
        exhaustive = len(group) <= ALL_GROUPINGS
        micro = bodies(one_by_one(group))
        own, at = (micro, 1), 0
        for system in self._systems(group, group, lent) if exhaustive else ():
            values = self.phi(*system)
            if values.max() > self.phi(*own)[at] + TIE:
                own, at = system, int(values.argmax())
        phi = float(self.phi(*own)[at])
        rival = Grain((), 0.0)
        if phi > TIE:
            subsets = subsets_of(group)
            systems = chain.from_iterable(self._systems(s, group, lent) for s in subsets) if exhaustive else ()
            small = ((bodies(one_by_one(s)), 1) for s in subsets_of(group))
            rival = self._best_but(systems if exhaustive else small, own, at)
        through = () if own == (micro, 1) else self._grain(own, at).units
        names = self.phi.names
        how = (rival.units, rival.phi, exhaustive, self.phi.formalism, through, names(lent))
        return Irreducibility(names(group), phi, *how)

    def _systems(self, subset: Group, group: Group, lent: Group) -> Iterator[tuple[Bodies, int]]:
        """Systems of valid units that take all of a subset of a group; the group as one unit is none."""
        for groups in groupings_of(subset):
            for grain in self.grains if groups != (group,) else ():
                for way in chain([()], self.apportioned(groups, grain, lent, len(lent))):
                    system, _ = self.units(groups, grain, way)
                    if system is not None:
                        yield system, grain

    def _best_but(self, systems: Iterable[tuple[Bodies, int]], own: tuple[Bodies, int], at: int) -> Grain:
        """The candidate with the largest phi_s, other than the one given."""
        best, top, place = None, 0.0, 0
        for system in systems:
            values = self.phi(*system)
            if system == own:
                values = np.where(np.arange(len(values)) == at, -1.0, values)
            if values.max() > top + TIE:
                best, top, place = system, float(values.max()), int(values.argmax())
        return self._grain(best, place) if best else Grain((), 0.0)

    def _grain(self, system: tuple[Bodies, int], at: int) -> Grain:
        return self.phi.grouping(*system, self.phi.every(*system), self.phi(*system), None).grain(at)


def subsets_of(group: Group, largest: int | None = None) -> Iterator[Group]:
    """Subsets of units, the smallest first."""
    for size in range(1, (largest or len(group)) + 1):
        yield from combinations(group, size)


@cache
def groupings_of(units: Group) -> tuple[Groups, ...]:
    """All set partitions, the finest first."""

    def grow(rest: Group) -> Iterator[list[Group]]:
        if not rest:
            yield []
            return
        first, others = rest[0], rest[1:]
        for size in range(len(others) + 1):
            for joined in combinations(others, size):
                left = tuple(i for i in others if i not in joined)
                for tail in grow(left):
                    yield [(first, *joined), *tail]

    return tuple(sorted((tuple(g) for g in grow(units)), key=lambda g: (-len(g), g)))


def one_by_one(units: Sequence[int]) -> Groups:
    """Each unit as a group of its own."""
    return tuple((i,) for i in units)


def _influences(tpm: Floats) -> Bools:
    """(n, n) whether the unit of a row acts on that of a column."""
    n = tpm.shape[1]
    rows = np.arange(2**n)
    return np.array([(np.abs(tpm - tpm[rows ^ (1 << i)]) > _SAME).any(axis=0) for i in range(n)])
