"""Units and systems across grains straight from the definitions (Marshall et al. 2024, Eqs. 11-19), one by one.

Nothing is shared with the search: units are built as `MacroUnit`s, each system is derived and analysed on its own.
"""

from itertools import combinations, product

import numpy as np

from iitcore import MacroUnit, macro_system, macro_tpms, system_phi

TIE = 1e-10


def subsets(units):
    return [c for k in range(1, len(units) + 1) for c in combinations(units, k)]


def groupings(units):
    """Every way to put all of the units into groups."""
    found = set()
    for labels in product(range(len(units)), repeat=len(units)):
        groups = [tuple(u for u, v in zip(units, labels, strict=True) if v == k) for k in range(len(units))]
        found.add(tuple(sorted(g for g in groups if g)))
    return sorted(found)


def mappings(size, updates):
    """Tables over sequences of states, but for those that swap ON and OFF."""
    window, full = size * updates, 2 ** (size * updates)
    if updates == 1 and size <= 3:
        tables = set(product((0, 1), repeat=full))
    else:
        on = [bin(s).count("1") for s in range(full)]
        last = [s >> size * (updates - 1) for s in range(full)]
        tables = {tuple(int(c >= k) for c in on) for k in range(1, window + 1)}
        tables |= {tuple(s >> i & 1 for s in last) for i in range(size)}
        if updates == 1 or window <= 8:
            tables |= {tuple(int(c in some) for c in on) for some in subsets(range(window + 1))}
        if updates == 1 or window <= 12:
            tables |= {tuple(int(all(s >> i & 1 for i in some)) for s in last) for some in subsets(range(size))}
    return sorted(t for t in tables if t[0] == 0 and 1 in t)


class Oracle:
    """Every unit, every system, phi_s of each."""

    def __init__(self, sub, history, apportioned=0):
        self.sub, self.history, self.apportioned = sub, np.asarray(history), apportioned
        self.grains = range(1, len(self.history) + 1)
        self.memory, self.made = {}, {}

    def phi(self, units):
        if units not in self.memory:
            self.memory[units] = system_phi(macro_system(self.sub, units, self.history)).phi
        return self.memory[units]

    def units(self, area, lent, grain):
        """Valid units of exactly these micro units, background and micro updates."""
        if len(area) == 1 and grain == 1:
            return [MacroUnit.micro(area[0])]
        constituents = self.constituents(area, lent)
        if constituents is None or grain % constituents[0].update_grain:
            return []
        updates = grain // constituents[0].update_grain
        units = [MacroUnit.of_units(constituents, t, updates) for t in mappings(len(constituents), updates)]
        return [MacroUnit(u.constituents, u.mapping, u.update_grain, lent) for u in units]

    def systems(self, area, free, most):
        """Systems of valid units that take all of an area, with some of the free background apportioned."""
        for groups in groupings(area):
            for grain in self.grains:
                for lent in self.ways(groups, free, most, grain):
                    yield from product(*(self.units(g, w, grain) for g, w in zip(groups, lent, strict=True)))

    def ways(self, groups, free, most, grain):
        """Apportionments of background in which each unit makes a difference to what the groups do."""
        nothing = ((),) * len(groups)
        yield nothing
        for places in product(range(-1, len(groups)), repeat=len(free)) if grain > 1 else ():
            way = tuple(tuple(w for w, p in zip(free, places, strict=True) if p == k) for k in range(len(groups)))
            if way != nothing and sum(map(len, way)) <= most and self.matters(groups, way, grain):
                yield way

    def matters(self, groups, way, grain):
        def tpms(lent):
            rng, found = np.random.default_rng(0), []
            for _ in range(8):  # one mapping may read what another does not
                tables = [tuple(rng.permutation([0, 1] * 2 ** (len(g) * grain - 1))) for g in groups]
                units = [MacroUnit(g, t, grain, w) for g, t, w in zip(groups, tables, lent, strict=True)]
                tpm = macro_tpms(self.sub, units, self.history)
                found += [tpm.cause, tpm.effect]
            return np.stack(found)

        whole = tpms(way)
        less = [tuple(tuple(u for u in own if u != w) for own in way) for w in sum(way, ())]
        return all(np.abs(tpms(lent) - whole).max() > 1e-14 for lent in less)

    def inside(self, area, lent):
        """All systems inside a unit, but for the unit: Eq. 16's f(U, W)."""
        return [s for part in subsets(area) for s in self.systems(part, lent, len(lent)) if not self.spans(s, area)]

    @staticmethod
    def spans(system, area):
        return len(system) == 1 and len(system[0].constituents) == len(area) and system != (MacroUnit.micro(area[0]),)

    def constituents(self, area, lent):
        """The system that the unit consists of, where there is one (Eqs. 15 and 16); None where there is not."""
        if (area, lent) not in self.made:
            self.made[area, lent] = None
            every = [(MacroUnit.micro(area[0]),)] if len(area) == 1 else self.inside(area, lent)
            whole = [s for s in every if sum(len(u.constituents) for u in s) == len(area)]
            best = max(whole, key=self.phi)
            others = max((self.phi(s) for s in every if s != best), default=0.0)
            if self.phi(best) > TIE and self.phi(best) > others + TIE:
                self.made[area, lent] = best
        return self.made[area, lent]

    def everything(self):
        """All systems of valid units of the substrate."""
        every = tuple(range(self.sub.n))
        return [
            system
            for area in subsets(every)
            for system in self.systems(area, [i for i in every if i not in area], self.apportioned)
        ]
