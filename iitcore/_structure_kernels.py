"""Compiled sums over relations, and the choice among tied purviews.

A distinction is here its phi, the mask of the elements (units with values) in its cause or effect,
and the mask of those in both.
"""

from __future__ import annotations

import math

import numpy as np

from iitcore._arrays import Floats, Ints
from iitcore._jit import compiled
from iitcore._mechanism_partitions import count_bits

ROUNDING = 1e-13  # relative; sums this close are equal
_SAFE = 900  # powers of two up to here are summed as they are


@compiled
def exponent(n: int) -> int:
    """Power of two taken out of sums over relations among n distinctions, against overflow."""
    return max(0, n - _SAFE)


@compiled
def relation_phi(phi: Floats, union: Ints, overlap: Ints, member: Ints) -> tuple[float, int]:
    """Sum of phi_r over the relations with at least one member, as value * 2**exponent (S3 Text).

    Nothing is listed: taking distinctions by decreasing density, each is the sparsest of every
    subset of those before it that contain an element o, 2**count subsets. Its own singleton is one
    of them and counts only where cause and effect overlap. With every distinction a member this
    is the sum over all relations.

    Args:
        phi: (distinctions,) ibits.
        union: (distinctions,) mask of the elements in cause or effect.
        overlap: (distinctions,) mask of the elements in both.
        member: (distinctions,) 1 for members, 0 for others.

    Returns:
        Value, and exponent.
    """
    n = phi.size
    density = np.empty(n)
    order = np.arange(n)
    for i in range(n):
        density[i] = phi[i] / max(count_bits(union[i]), 1)
        j = i
        while j > 0 and density[order[j - 1]] < density[i]:
            order[j] = order[j - 1]
            j -= 1
        order[j] = i
    shift = exponent(n)
    count = np.zeros(63, np.int64)
    others = np.zeros(63, np.int64)
    total = 0.0
    for d in order:
        o = 0
        while union[d] >> o:
            if union[d] >> o & 1:
                subsets = math.ldexp(1.0, count[o] - shift)
                if member[d] == 0:
                    subsets -= math.ldexp(1.0, others[o] - shift)
                elif not overlap[d] >> o & 1:
                    subsets -= math.ldexp(1.0, -shift)
                total += density[d] * subsets
                count[o] += 1
                others[o] += 1 - member[d]
            o += 1
    return total, shift


@compiled
def overlap_histogram(union: Ints, n_elements: int) -> Ints:
    """Signed number of element sets shared by exactly c distinctions, for c = 0..len(union).

    The sign is that of inclusion-exclusion: + for sets of odd size, - for even; the empty set is
    left out. Any f(c) summed with these weights is then summed over sets of distinctions that
    share at least one element.

    Args:
        union: (distinctions,) mask of the elements in cause or effect.
        n_elements: number of elements.
    """
    size = 1 << n_elements
    shared = np.zeros(size, np.int32)
    for mask in union:
        shared[mask] += 1
    for o in range(n_elements):
        bit = 1 << o
        for x in range(size):
            if not x & bit:
                shared[x] += shared[x | bit]
    odd = np.zeros(size, np.bool_)
    out = np.zeros(union.size + 1, np.int64)
    for x in range(1, size):
        odd[x] = not odd[x & (x - 1)]
        out[shared[x]] += 1 if odd[x] else -1
    return out


@compiled
def choice_bound(phi: Floats, union: Ints, overlap: Ints, first: Ints, last: Ints, upper: bool) -> float:
    """Bound of the sum of phi_r when distinction i takes any option first[i] <= option < last[i].

    The sum splits into elements, and each part grows with membership and density: from above take
    an element as shared whenever some option has it, at the density of the smallest such option;
    from below only when every option has it, at the density of the largest. Values carry
    `relation_phi`'s exponent; with one option each the bound is the sum itself.

    Args:
        phi: (distinctions,) ibits.
        union: (options,) mask of the elements in cause or effect.
        overlap: (options,) mask of the elements in both.
        first: (distinctions,) first option.
        last: (distinctions,) option after the last.
        upper: bound from above; otherwise from below.
    """
    n = phi.size
    density = np.zeros(n)
    one = np.zeros(n, np.int64)
    both = np.zeros(n, np.int64)
    every = np.ones(n, np.int64)
    total = 0.0
    present = 0
    for i in range(n):
        for option in range(first[i], last[i]):
            present |= int(union[option])
    o = 0
    while present >> o:
        for i in range(n):
            have, own, small, large = 0, 0, 64, 1
            options = last[i] - first[i]
            for option in range(first[i], last[i]):
                size = count_bits(union[option])
                large = max(large, size)
                if union[option] >> o & 1:
                    have += 1
                    own += overlap[option] >> o & 1
                    small = min(small, size)
            shared = have > 0 if upper else have == options
            one[i] = 1 if shared else 0
            both[i] = 1 if (own > 0 if upper else own == options) else 0
            density[i] = phi[i] / (small if upper else large) if shared else 0.0
        total += relation_phi(density, one, both, every)[0]
        o += 1
    return total


@compiled
def extreme_choice(
    phi: Floats, union: Ints, overlap: Ints, start: Ints, upper: bool, budget: int, choice: Ints
) -> bool:
    """Largest (or smallest) sum of phi_r over all combinations of options, by branch and bound.

    Args:
        phi: (distinctions,) ibits.
        union: (options,) mask of the elements in cause or effect.
        overlap: (options,) mask of the elements in both.
        start: (distinctions + 1,) options start[i]..start[i + 1] belong to distinction i.
        upper: the largest sum; otherwise the smallest.
        budget: most bounds that are evaluated.
        choice: (distinctions,) a combination to begin with; receives the best one.

    Returns:
        Whether that is proven to be the extreme within the budget.
    """
    sign = 1.0 if upper else -1.0
    best = sign * choice_bound(phi, union, overlap, choice, choice + 1, upper)
    first, last = start[:-1].copy(), start[1:].copy()
    open_ = np.flatnonzero(last - first > 1)
    depth = 0
    while depth >= 0:
        if depth < open_.size:
            i = open_[depth]
            if last[i] - first[i] > 1:
                last[i] = first[i] + 1  # enter this level at the first option
            elif last[i] == start[i + 1]:
                first[i] = start[i]  # all options done: leave
                depth -= 1
                continue
            else:
                first[i] += 1
                last[i] += 1
            budget -= 1
            if budget < 0:
                return False
            bound = sign * choice_bound(phi, union, overlap, first, last, upper)
            if bound > best + ROUNDING * abs(best):
                depth += 1
        else:
            best = sign * choice_bound(phi, union, overlap, first, last, upper)
            choice[:] = first
            depth -= 1
    return True


@compiled
def improve_choice(phi: Floats, union: Ints, overlap: Ints, start: Ints, choice: Ints) -> float:
    """Change one distinction's option at a time while the sum of phi_r grows; a local maximum.

    Args:
        phi: (distinctions,) ibits.
        union: (options,) mask of the elements in cause or effect.
        overlap: (options,) mask of the elements in both.
        start: (distinctions + 1,) options start[i]..start[i + 1] belong to distinction i.
        choice: (distinctions,) a combination to begin with; receives the best one.

    Returns:
        The sum, with `relation_phi`'s exponent.
    """
    n = phi.size
    density = np.empty(n)
    for i in range(n):
        density[i] = phi[i] / max(count_bits(union[choice[i]]), 1)
    order = np.argsort(-density)
    before = np.empty((n + 1, 63))
    weight = np.empty((n + 1, 63))
    improved = True
    while improved:
        improved = False
        least = ROUNDING * relation_phi(phi, union[choice], overlap[choice], np.ones(n, np.int64))[0]
        for i in range(n):
            if start[i + 1] - start[i] < 2:
                continue
            whole = _sums_of_others(i, order, density, union[choice], before, weight)
            old, now = choice[i], choice[i]
            best = _gain(i, now, phi, union, overlap, order, density, (before, weight, whole))
            for option in range(start[i], start[i + 1]):
                value = _gain(i, option, phi, union, overlap, order, density, (before, weight, whole))
                if value > best + least:
                    best, now = value, option
            if now != old:
                choice[i] = now
                density[i] = phi[i] / max(count_bits(union[now]), 1)
                order = np.argsort(-density)
                improved = True
    return relation_phi(phi, union[choice], overlap[choice], np.ones(n, np.int64))[0]


@compiled
def _sums_of_others(i: int, order: Ints, density: Floats, masks: Ints, before: Floats, weight: Floats) -> Floats:
    """Per element, what the other distinctions sum to, (63,); and at each place in the order of density (rows).

    `before` is the sum over the denser ones, `weight` the number of subsets of these that hold the element.
    """
    shift = exponent(density.size)
    total = np.zeros(63)
    subsets = np.full(63, math.ldexp(1.0, -shift))
    for k in range(order.size):
        before[k] = total
        weight[k] = subsets
        d = order[k]
        if d != i:
            o = 0
            while masks[d] >> o:
                if masks[d] >> o & 1:
                    total[o] += density[d] * subsets[o]
                    subsets[o] *= 2.0
                o += 1
    before[order.size] = total
    weight[order.size] = subsets
    return total


@compiled
def _gain(
    i: int,
    option: int,
    phi: Floats,
    union: Ints,
    overlap: Ints,
    order: Ints,
    density: Floats,
    sums: tuple[Floats, Floats, Floats],
) -> float:
    """What an option of distinction i adds to the sum over the others: its own subsets, and theirs that hold it too."""
    before, weight, whole = sums
    n = order.size
    own = phi[i] / max(count_bits(union[option]), 1)
    low, high = 0, n  # the first place that is not denser
    while low < high:
        middle = (low + high) // 2
        if density[order[middle]] > own:
            low = middle + 1
        else:
            high = middle
    alone = math.ldexp(1.0, -exponent(n))
    total = 0.0
    o = 0
    while union[option] >> o:
        if union[option] >> o & 1:
            total += whole[o] - before[low, o] + own * weight[low, o]
            if not overlap[option] >> o & 1:
                total -= own * alone
        o += 1
    return total
