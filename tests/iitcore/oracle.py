"""phi_s straight from Eqs. 3-23, every partition enumerated: slow, plain, shares no code.

TPMs come as marginals: marginals[i] has shape (k_0, ..., k_{n-1}, k_i), P(unit i takes v | state).
States are tuples and index arrays directly, so there is no state numbering to get wrong.
"""

from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np

TIE = 1e-10


@dataclass(frozen=True)
class Answer:
    phi: float
    normalized: tuple[float, ...]  # of every tied pair of states that attains phi
    pairs: frozenset  # (cause state, effect state) that attain phi
    cuts: int  # different minimum cuts of the first such pair
    phi_c: float  # both sides at the minimum of the first such pair
    phi_e: float


def marginals_of(tpm):
    """(2**n, n) P(ON), little-endian, to marginals."""
    tpm = np.asarray(tpm, float)
    n = tpm.shape[1]
    out = []
    for i in range(n):
        m = np.empty((2,) * n + (2,))
        for s in product((0, 1), repeat=n):
            p = tpm[sum(b << j for j, b in enumerate(s)), i]
            m[s] = (1 - p, p)
        out.append(m)
    return out


def candidate(marginals, state, units):
    """Cause and effect marginals of some units (Eqs. 3-4), and whether there is a past."""
    n = len(marginals)
    rest = [i for i in range(n) if i not in units]
    at = tuple(state[i] if i in rest else slice(None) for i in range(n))
    effect = [marginals[i][at] for i in units]
    likelihood = np.ones(marginals[0].shape[:-1])
    for i in range(n):
        likelihood = likelihood * marginals[i][..., state[i]]
    q = likelihood.sum(axis=tuple(units), keepdims=True)
    if q.sum() == 0:
        return None, effect
    q = q / q.sum()
    cause = [(marginals[i] * q[..., None]).sum(axis=tuple(rest)) for i in units]
    return cause, effect


@cache
def cuts(n):
    """{kept inputs per unit: connections cut} of every directional partition."""
    if n == 1:
        return {((),): 1}
    found = {}
    for block in product(range(n), repeat=n):  # every assignment of units to numbered parts
        used = sorted(set(block))
        if used != list(range(len(used))) or len(used) < 2:
            continue
        for marks in product(("<-", "->", "<->"), repeat=len(used)):
            kept = []
            for j in range(n):
                kept.append(
                    tuple(
                        i
                        for i in range(n)
                        if block[i] == block[j] or (marks[block[i]] == "<-" and marks[block[j]] == "->")
                    )
                )
            found[tuple(kept)] = sum(n - len(k) for k in kept)
    return found


def probability(marginal, value, inputs, kept):
    """P(unit takes value) with the kept inputs held and all others uniform."""
    p = marginal[..., value]
    at = tuple(inputs[i] if i in kept else slice(None) for i in range(len(inputs)))
    return float(np.mean(p[at]))


def joint(marginals, values, inputs, kept=None):
    if kept is None:
        kept = [tuple(range(len(inputs)))] * len(marginals)
    return np.prod([probability(m, v, inputs, k) for m, v, k in zip(marginals, values, kept, strict=True)])


def from_every_state(marginals, values):
    """P(all units take the values), one axis per unit of the state they start from."""
    out = 1.0
    for m, v in zip(marginals, values, strict=True):
        out = out * m[..., v]
    return out


def maximal(information):
    top = max(information.values())
    return [s for s, v in information.items() if v >= top - TIE], top


def phi_s(marginals, state, units=None):
    """The answer for one candidate system."""
    units = tuple(range(len(marginals))) if units is None else tuple(units)
    cause, effect = candidate(marginals, state, units)
    s = tuple(state[i] for i in units)
    states = list(product(*(range(m.shape[-1]) for m in effect)))
    nothing = Answer(0.0, (0.0,), frozenset(), 0, 0.0, 0.0)
    if cause is None:
        return nothing
    given = {x: float(p) for x, p in np.ndenumerate(from_every_state(cause, s))}
    total = sum(given.values())
    select_c = {x: p / total for x, p in given.items()} if total > 0 else {}
    mean = total / len(states)
    info_c = {x: select_c[x] * np.log2(p / mean) if p > 0 else 0.0 for x, p in given.items()}
    select_e = {y: joint(effect, y, s) for y in states}
    spread = {y: float(from_every_state(effect, y).mean()) for y in states}
    info_e = {y: p * np.log2(p / spread[y]) if p > 0 else 0.0 for y, p in select_e.items()}
    ties_c, top_c = maximal(info_c)
    ties_e, top_e = maximal(info_e)
    if top_c <= TIE or top_e <= TIE:
        return nothing
    losses_c = {c: losses(cause, s, c, select_c[c]) for c in ties_c}
    losses_e = {e: losses(effect, e, s, select_e[e]) for e in ties_e}
    results = {(c, e): minimum(losses_c[c], losses_e[e], len(units)) for c in ties_c for e in ties_e}
    phi = max(r[0] for r in results.values())
    best = {pair: r for pair, r in results.items() if r[0] >= phi - TIE}
    first = next(iter(best.values()))
    return Answer(phi, tuple(r[1] for r in best.values()), frozenset(best), *first[2:])


@cache
def pieces(n):
    """Different (unit, kept inputs) among all cuts, and which of them each cut is made of."""
    found = {}
    which = [[found.setdefault((j, k), len(found)) for j, k in enumerate(kept)] for kept in cuts(n)]
    return list(found), np.array(which)


def losses(marginals, required, inputs, selectivity):
    """phi of one side for every cut, in the order of `cuts`."""
    whole = joint(marginals, required, inputs)
    units, which = pieces(len(marginals))
    if whole == 0:
        return np.zeros(len(which))
    after = np.array([probability(marginals[j], required[j], inputs, k) for j, k in units])
    return selectivity * np.maximum(0.0, np.log2(whole / after[which].prod(axis=1)))


def minimum(losses_c, losses_e, n):
    norms = np.array(list(cuts(n).values()))
    phi = np.minimum(losses_c, losses_e)
    tied = np.flatnonzero(phi / norms <= (phi / norms).min() + TIE)
    k = tied[phi[tied].argmax()]
    value = phi[k] if phi[k] > TIE else 0.0
    count = int((phi[tied] >= phi[k] - TIE).sum())
    return value, value / norms[k], count, losses_c[k], losses_e[k]
