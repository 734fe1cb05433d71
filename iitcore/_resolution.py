"""Congruence, and the choice among what ties (Eq. 48 and S1 Text).

A distinction survives when, among its tied causes and among its tied effects, at least one agrees
with the system's cause-effect state. Which of the agreeing ones it takes changes how densely it is
bound, so that Φ depends on all these choices together: the combination with the largest Φ is taken.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from iitcore import _structure_kernels as kernels
from iitcore._arrays import Floats, Ints
from iitcore.distinctions import Distinction, Names, Purview, State
from iitcore.relations import Element, Relations, scaled

Pair = tuple[State, State]
Kept = tuple[tuple[Purview, ...], ...]
_SAME = 2e-13  # relative, of log2 of Φ: two values this close are equal
_LEAST, _WORK = 10_000, 3_000_000  # bounds evaluated per extreme: enough for 4,096 combinations
_FEW, _FEWEST, _STEPS = 4096, 300, 10**9  # of more combinations: fewest bounds, steps in all


@dataclass(frozen=True)
class Resolution:
    """Outcome: see the attributes of `PhiStructure`."""

    pair: Pair
    distinctions: tuple[Distinction, ...]
    incongruent: tuple[Distinction, ...]
    phi: float
    log2_phi: float  # finite also where phi overflows
    phi_range: tuple[float, float]
    exact: bool
    n_choices: int


def resolve(
    found: Sequence[Distinction], labels: Names, pairs: Iterable[Pair], alike: Sequence[Sequence[int]] = ()
) -> Resolution:
    """Keep what agrees with the cause-effect state; among ties take the largest Φ.

    Args:
        found: distinctions with all their tied purviews.
        labels: the system's units.
        pairs: the system's cause-effect states, at least one; several when they tie.
        alike: sets of units (positions) that can be exchanged at will; cause-effect states that such an exchange turns
            into each other have the same structure but for names, and only the first of them is resolved.

    Raises:
        ValueError: no cause-effect state.
    """
    groups: dict[tuple[int, int], list[Pair]] = {}  # pairs that keep the same, by numbers
    causes, effects = (
        _Agreement([getattr(d, tied) for d in found], labels) for tied in ("tied_causes", "tied_effects")
    )
    orbits: dict[Hashable, list[Pair]] = {}
    for pair in pairs:
        orbits.setdefault(_orbit(pair, alike), []).append(pair)
    for orbit in orbits.values():
        cause, effect = orbit[0]
        groups.setdefault((causes.number(cause), effects.number(effect)), []).extend(orbit)
    best: Resolution | None = None
    low, high, exact, n_choices = math.inf, -math.inf, True, 0
    for (c_number, e_number), same in groups.items():
        sides = list(zip(found, causes.distinct[c_number], effects.distinct[e_number], strict=True))
        kept = tuple(replace(d, cause=c[0], effect=e[0], tied_causes=c, tied_effects=e) for d, c, e in sides if c and e)
        lost = tuple(d for d, c, e in sides if not (c and e))
        one = _largest(kept, same[0], lost, labels, prove=exact)  # one bound makes the range bounds
        low, high = min(low, one.phi_range[0]), max(high, one.phi_range[1])
        exact = exact and one.exact
        n_choices += one.n_choices * len(same)
        if best is None or one.log2_phi > best.log2_phi + _SAME * max(1.0, abs(one.log2_phi)):
            best = one
    if best is None:
        raise ValueError("no cause-effect state to resolve by")
    return replace(best, phi_range=(low, high), exact=exact, n_choices=n_choices)


def _orbit(pair: Pair, alike: Sequence[Sequence[int]]) -> Hashable:
    """Equal for pairs of states that exchanges of units that are alike turn into each other."""
    if not alike:
        return pair
    cause, effect = pair
    free = {u for units in alike for u in units}
    fixed = tuple((c, e) for u, (c, e) in enumerate(zip(cause, effect, strict=True)) if u not in free)
    return fixed, *(tuple(sorted((cause[u], effect[u]) for u in units)) for units in alike)


class _Agreement:
    """What agrees with a system's state on one side; states that agree with the same are numbered.

    Args:
        tied: each distinction's tied purviews.
        labels: the system's units.
    """

    def __init__(self, tied: Sequence[tuple[Purview, ...]], labels: Names) -> None:
        self.tied, self.labels = tied, labels
        self.distinct: list[Kept] = []
        self._numbers: dict[Kept, int] = {}
        self._states: dict[State, int] = {}

    def number(self, state: State) -> int:
        """Index in `distinct` of the purviews, per distinction, whose state is the system's."""
        if state not in self._states:
            values = dict(zip(self.labels, state, strict=True))
            kept = tuple(tuple(p for p in purviews if p.agrees(values)) for purviews in self.tied)
            self._states[state] = self._numbers.setdefault(kept, len(self.distinct))
            if self._states[state] == len(self.distinct):
                self.distinct.append(kept)
        return self._states[state]


def _options(d: Distinction) -> list[tuple[Purview, Purview]]:
    """Cause-effect choices of a distinction that differ in what they could be related by."""
    distinct: dict[tuple[frozenset[Element], frozenset[Element]], tuple[Purview, Purview]] = {}
    for c in d.tied_causes:
        for e in d.tied_effects:
            distinct.setdefault((c.elements | e.elements, c.elements & e.elements), (c, e))
    return list(distinct.values())


def sum_phi_d(found: Sequence[Distinction]) -> float:
    """Summed phi of distinctions, added one after the other as compiled code does."""
    total = 0.0
    for d in found:
        total += d.phi
    return total


def _largest(
    kept: tuple[Distinction, ...],
    pair: Pair,
    lost: tuple[Distinction, ...],
    labels: Names,
    prove: bool,
) -> Resolution:
    """Resolve the ties of one cause-effect state; without `prove`, bounds are all that is sought."""
    options = [_options(d) for d in kept]
    flat = [replace(d, cause=c, effect=e) for d, choices in zip(kept, options, strict=True) for c, e in choices]
    start = np.cumsum([0] + [len(o) for o in options]).astype(np.int64)
    phi = np.array([d.phi for d in kept])
    _, union, overlap = Relations(tuple(flat), labels).arrays

    def relations(choice: Ints) -> tuple[float, int]:
        return kernels.relation_phi(phi, union[choice], overlap[choice], np.ones_like(choice))

    def total(choice: Ints) -> float:
        return sum_phi_d(kept) + scaled(*relations(choice))

    def log2_total(choice: Ints) -> float:
        phi_, (value, exponent) = total(choice), relations(choice)
        return math.log2(value) + exponent if math.isinf(phi_) else math.log2(phi_) if phi_ > 0 else -math.inf

    choice: Ints = start[:-1].copy()
    low = high = total(choice)
    exact = True
    if len(flat) > len(kept):
        least = choice.copy()
        choice = _ascend(phi, union, overlap, start)
        low, high = (sum_phi_d(kept) + _bound(phi, union, overlap, start, upper) for upper in (False, True))
        budget = _budget(len(flat), [len(o) for o in options], int(np.bitwise_or.reduce(union)).bit_count())
        exact = prove and all(
            kernels.extreme_choice(phi, union, overlap, start, upper, budget, end)
            for upper, end in ((True, choice), (False, least))
        )
        if exact:
            low, high = total(least), total(choice)
    return Resolution(
        pair,
        tuple(flat[i] for i in choice),
        lost,
        total(choice),
        log2_total(choice),
        (low, high),
        exact,
        math.prod(len(d.tied_causes) * len(d.tied_effects) for d in kept),
    )


def _budget(flat: int, options: Sequence[int], elements: int) -> int:
    """Bounds that may be evaluated per extreme: all that few combinations need, else what a second does."""
    most = max(_LEAST, _WORK // flat)
    if math.prod(options) <= _FEW:
        return most
    return min(most, max(_FEWEST, _STEPS // (elements * (flat + len(options) ** 2))))


def _bound(phi: Floats, union: Ints, overlap: Ints, start: Ints, upper: bool) -> float:
    """Bound of the sum of phi_r over all combinations."""
    value = kernels.choice_bound(phi, union, overlap, start[:-1], start[1:], upper)
    return scaled(value, kernels.exponent(len(phi)))


def _ascend(phi: Floats, union: Ints, overlap: Ints, start: Ints) -> Ints:
    """A combination that no single change improves, from three beginnings.

    These are the first options, the smallest purviews and the largest.
    """
    sizes = np.array([int(u).bit_count() for u in union])
    spans = [slice(a, b) for a, b in pairwise(start)]
    best, value = start[:-1], -1.0
    for rank in (lambda s: 0, lambda s: sizes[s].argmin(), lambda s: sizes[s].argmax()):
        choice = np.array([s.start + int(rank(s)) for s in spans], dtype=np.int64)
        reached = kernels.improve_choice(phi, union, overlap, start, choice)
        if reached > value * (1 + kernels.ROUNDING):
            best, value = choice, reached
    return best
