"""Distinctions, relations and Φ straight from their definitions, for up to four units.

Nothing here is shared with iitcore: every average, partition, relation and face is enumerated.
"""

import math
from itertools import combinations, product

import numpy as np

TIE = 1e-10


class Oracle:
    """A system given by its (n_states, k_j) cause and effect factors, first unit fastest."""

    def __init__(self, cause, effect, state):
        self.alphabet = [f.shape[1] for f in effect]
        self.n = len(self.alphabet)
        self.factors = {"cause": cause, "effect": effect}
        self.state = tuple(state)
        self.known = {}
        rows = product(*(range(k) for k in reversed(self.alphabet)))
        self.states = [tuple(reversed(r)) for r in rows]

    def marginal(self, side, unit, value, held):
        """P(unit takes value | held units fixed, all others uniform)."""
        key = side, unit, value, tuple(sorted(held.items()))
        if key not in self.known:
            rows = [i for i, s in enumerate(self.states) if all(s[j] == v for j, v in held.items())]
            self.known[key] = float(np.mean([self.factors[side][unit][i, value] for i in rows]))
        return self.known[key]

    def values(self, units):
        return list(product(*(range(self.alphabet[j]) for j in units)))

    def pi_effect(self, z, m):
        return math.prod([self.marginal("effect", j, v, m) for j, v in z.items()])

    def pi_cause(self, z, m):
        return math.prod([self.marginal("cause", j, v, z) for j, v in m.items()])

    def repertoires(self, side, mechanism, purview):
        """Per purview state: probability, its weight (selectivity), and what it is compared with."""
        m = {j: self.state[j] for j in mechanism}
        zs = [dict(zip(purview, v, strict=True)) for v in self.values(purview)]
        if side == "effect":
            p = [self.pi_effect(z, m) for z in zs]
            others = [dict(zip(mechanism, v, strict=True)) for v in self.values(mechanism)]
            reference = [np.mean([self.pi_effect(z, o) for o in others]) for z in zs]
            return zs, p, p, reference
        p = [self.pi_cause(z, m) for z in zs]
        if sum(p) == 0:
            return zs, p, p, [1.0] * len(p)
        return zs, p, [x / sum(p) for x in p], [np.mean(p)] * len(p)

    def specified(self, side, mechanism, purview):
        zs, p, weight, reference = self.repertoires(side, mechanism, purview)
        ii = [w * np.log2(a / r) if w > 0 else 0.0 for a, w, r in zip(p, weight, reference, strict=True)]
        if max(ii) < TIE:
            return []
        return [(z, a, w, i) for z, a, w, i in zip(zs, p, weight, ii, strict=True) if w > 0 and i >= max(ii) - TIE]

    def phi(self, side, mechanism, purview, z, p, weight):
        """phi and norm of the minimum partition."""
        m = {j: self.state[j] for j in mechanism}
        best = None
        for parts in disintegrating(mechanism, purview):
            q = 1.0
            norm = len(mechanism) * len(purview)
            for mi, zi in parts:
                norm -= len(mi) * len(zi)
                held_m, held_z = {j: m[j] for j in mi}, {j: z[j] for j in zi}
                q *= (self.pi_effect if side == "effect" else self.pi_cause)(held_z, held_m)
            value = weight * max(0.0, np.log2(p / q))
            if (
                best is None
                or value / norm < best[0] / best[1] - TIE
                or (value / norm < best[0] / best[1] + TIE and value > best[0])
            ):
                best = value, norm
        return best

    def maximal(self, side, mechanism):
        """Largest phi and the {(unit, value)} purviews that attain it."""
        found = []
        for size in range(1, self.n + 1):
            for purview in combinations(range(self.n), size):
                for z, p, weight, ii in self.specified(side, mechanism, purview):
                    phi, norm = self.phi(side, mechanism, purview, z, p, weight)
                    found.append((phi, frozenset(z.items()), norm, ii))
        top = max((f[0] for f in found), default=0.0)
        return (top, [f for f in found if f[0] >= top - TIE]) if top > TIE else (0.0, [])

    def distinctions(self):
        """{mechanism: (phi, causes, effects)}, purviews as frozensets of (unit, value)."""
        found = {}
        for size in range(1, self.n + 1):
            for mechanism in combinations(range(self.n), size):
                (c, causes), (e, effects) = (self.maximal(side, mechanism) for side in ("cause", "effect"))
                if causes and effects:
                    found[mechanism] = min(c, e), causes, effects
        return found

    def structures(self, cause_state, effect_state):
        """Φ, number of relations and sums for every combination of congruent tied purviews."""
        kept = []
        for phi, causes, effects in self.distinctions().values():
            c = [f[1] for f in causes if all(cause_state[j] == v for j, v in f[1])]
            e = [f[1] for f in effects if all(effect_state[j] == v for j, v in f[1])]
            if c and e:
                kept.append([(phi, a, b) for a in c for b in e])
        for chosen in product(*kept):
            related = relations(chosen)
            sum_d, sum_r = sum(d[0] for d in chosen), sum(r[1] for r in related)
            yield sum_d + sum_r, len(chosen), related, sum_d, sum_r


def set_partitions(items):
    if not items:
        yield []
        return
    for rest in set_partitions(items[1:]):
        yield [[items[0]], *rest]
        for i, block in enumerate(rest):
            yield [*rest[:i], [items[0], *block], *rest[i + 1 :]]


def disintegrating(mechanism, purview):
    """Theta(M, Z): joint partitions in which all of M stands with the empty purview only."""
    tagged = [("m", j) for j in mechanism] + [("z", j) for j in purview]
    for blocks in set_partitions(tagged):
        parts = [
            (
                tuple(j for side, j in block if side == "m"),
                tuple(j for side, j in block if side == "z"),
            )
            for block in blocks
        ]
        if not any(set(mi) == set(mechanism) and zi for mi, zi in parts):
            yield parts


def relations(chosen):
    """(members, phi, number of faces) of every relation among (phi, cause, effect) triples."""
    found = []
    for size in range(1, len(chosen) + 1):
        for members in combinations(range(len(chosen)), size):
            picked = [chosen[i] for i in members]
            unions = [c | e for _, c, e in picked]
            shared = frozenset.intersection(*unions)
            if size == 1:
                shared = picked[0][1] & picked[0][2]
            if not shared:
                continue
            density = min(phi / len(u) for (phi, _, _), u in zip(picked, unions, strict=True))
            faces = 0
            for choice in product(("c", "e", "ce"), repeat=size):
                if size == 1 and choice != ("ce",):
                    continue
                sets = [
                    s
                    for which, (_, c, e) in zip(choice, picked, strict=True)
                    for name, s in (("c", c), ("e", e))
                    if name in which
                ]
                faces += bool(frozenset.intersection(*sets))
            found.append((members, len(shared) * density, faces))
    return found
