"""Exclusion over grains: which units, at which grain, make the system with the largest phi_s.

Source: Albantakis et al. 2023, "Determining maximal unit grains"; Marshall, Findlay, Albantakis &
Tononi 2024, "Intrinsic Units". A unit must be maximally irreducible within: its micro units, as they are or
put together to smaller valid units (meso units), make up a system whose phi_s is positive and larger than that of
every system of valid units that takes only some of them. Among systems of valid units, the one with the
largest phi_s wins.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import chain, combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from iitcore._arrays import Floats, Ints
from iitcore._grain_phi import GrainPhi, Group, Groups
from iitcore._layout import SubstrateError
from iitcore._numbers import floats, is_list, items, whole, wholes
from iitcore.formalism import Formalism, code_of
from iitcore.grain_results import Grain, GrainSearch, Grouping, Irreducibility
from iitcore.macro import History, check_binary, window_states
from iitcore.macro_units import MacroUnit, mapping_family
from iitcore.substrate import Substrate, UnitKey

__all__ = ["is_maximally_irreducible_within", "search_grains"]

Progress = Callable[[int, int], None]

_TIE = 1e-10
_ALL_GROUPINGS = 6  # micro units up to which every grouping of every subset is tried
_ALL_MAPPINGS = 3  # constituents up to which every mapping is tried at update grain 1
_ALL_MAPPINGS_LARGE = 2  # the same, in substrates of more than _ALL_GROUPINGS units


def is_maximally_irreducible_within(
    sub: Substrate,
    unit: MacroUnit | Sequence[UnitKey],
    history: History | Sequence[History],
    *,
    weights: npt.ArrayLike | None = None,
    update_grains: Sequence[int] | None = None,
    formalism: Formalism = "2023",
) -> Irreducibility:
    """Whether a set of micro units may be a unit: more irreducible than anything inside it.

    The criterion is about the constituents alone, micro units or valid macro units of them: the mapping of the
    unit does not enter, and background apportioned to it is background like any other. A micro unit at its own
    grain is always valid.

    Args:
        sub: substrate of binary units.
        unit: a macro unit, or names or indices of its constituents.
        history: as in `search_grains`.
        weights: as in `search_grains`.
        update_grains: grains of the rival systems inside; by default 1, and 2 where the history
            has two states.
        formalism: version of the theory, see `iitcore.formalism`.

    Returns:
        A result that is true or false and says why. Above 6 constituents the rivals are the micro
        systems inside (`exhaustive` is then False).

    Raises:
        SubstrateError: when the unit, history or weights do not fit the substrate.

    Example:
        >>> swap = Substrate([[0, 0], [0, 1], [1, 0], [1, 1]])
        >>> is_maximally_irreducible_within(swap, ("A", "B"), "11")
        Irreducibility({A, B} is maximally irreducible within (phi_s 2, 0 inside it))
    """
    check_binary(sub)
    code_of(formalism)
    group = sub.indices(unit.constituents if isinstance(unit, MacroUnit) else unit)
    windows, shares = _windows(sub, history, weights)
    grains = _grains(update_grains, windows)
    return _Validity(GrainPhi(sub, windows, shares, _ALL_MAPPINGS, formalism), grains).of(group)


def search_grains(
    sub: Substrate,
    history: History | Sequence[History],
    *,
    weights: npt.ArrayLike | None = None,
    update_grains: Sequence[int] | None = None,
    groupings: Sequence[Sequence[Sequence[UnitKey]]] | None = None,
    valid_only: bool = False,
    max_candidates: int = 200_000,
    progress: Progress | None = None,
    formalism: Formalism = "2023",
) -> GrainSearch:
    """Search groupings, mappings and update grains for the system with the largest phi_s.

    Up to 6 micro units every grouping of every subset is tried, what is left out being background.
    At update grain 1 a group of up to 3 constituents gets every mapping (those that differ by
    swapping ON and OFF are one), a larger one every function of the number of units ON and every
    black box whose outputs are all ON; longer windows get at-least-k-ON and single-output mappings.
    In larger substrates every mapping is tried for pairs only, systems are limited to as many micro
    units as `max_candidates` allows, and systems of all units are followed by merging, from the micro
    grain, the two groups whose union gives the largest phi_s, step by step: `exhaustive` is False and
    `scope` says what was searched. No background is apportioned. Ties are reported, not resolved.

    Args:
        sub: substrate of binary units.
        history: (updates, n) micro states, oldest first; or several such windows,
            (windows, updates, n), over which phi_s is averaged wherever it is used.
        weights: (windows,) share of each window, such as the stationary distribution; equal by
            default.
        update_grains: by default 1, and 2 where the history has two states.
        groupings: try these only (and the micro grain), each a list of groups of names or indices.
        valid_only: do not compute phi_s of systems with units that are not valid.
        max_candidates: bound in substrates of more than 6 units.
        progress: called with (candidates done, candidates planned).
        formalism: version of the theory, see `iitcore.formalism`.

    Returns:
        The winner, every candidate, and the verdict on every set of units.

    Raises:
        SubstrateError: when history, weights or groupings do not fit the substrate.

    Example:
        >>> copies = Substrate([[0, 0], [0, 1], [1, 0], [1, 1]])
        >>> search_grains(copies, (1, 1)).winner
        Grain(phi_s = 2; A: as is | B: as is; valid)
    """
    check_binary(sub)
    code_of(formalism)
    max_candidates = whole(max_candidates, "max_candidates")
    windows, shares = _windows(sub, history, weights)
    grains = _grains(update_grains, windows)
    plan, scope = _plan(sub, grains, groupings, max_candidates)
    large = sub.n > _ALL_GROUPINGS and groupings is None
    phi = GrainPhi(sub, windows, shares, _ALL_MAPPINGS_LARGE if large else _ALL_MAPPINGS, formalism)
    validity = _Validity(phi, grains)
    total = sum(math.prod(len(p) for p in phi.every(groups, grain)) for groups, grain in plan)
    tried: list[Grouping] = []
    done = 0
    merged = (_agglomerate(phi, validity, grain, valid_only) for grain in grains if large)
    planned = (_try(phi, validity, groups, grain, valid_only) for groups, grain in plan)
    for grouping in chain(planned, *merged):
        tried.append(grouping)
        done += len(grouping)
        if progress is not None:
            progress(done, max(done, total))
    exhaustive = not large and groupings is None
    return GrainSearch.of(tuple(tried), tuple(validity.found.values()), exhaustive, scope, formalism)


class _Validity:
    """Memory of which sets of micro units are maximally irreducible within."""

    def __init__(self, phi: GrainPhi, grains: Sequence[int]) -> None:
        self.phi, self.grains = phi, grains
        self.found: dict[Group, Irreducibility] = {}
        self._asked: set[Group] = set()  # whose validity is being judged

    def of(self, group: Group) -> Irreducibility:
        if group not in self.found:
            self._asked.add(group)
            self.found[group] = self._judge(group)
            self._asked.remove(group)
        return self.found[group]

    def fault(self, groups: Groups, grain: int) -> str | None:
        """Why the groups are not all valid units; None when they are.

        Args:
            groups: micro units of each macro unit.
            grain: micro updates per macro update.
        """
        macro = [g for g in groups if len(g) > 1 or grain > 1]
        return next((r.reason for g in macro if not (r := self.of(g)).holds), None)

    def _judge(self, group: Group) -> Irreducibility:
        names = tuple(self.phi.sub.units[i] for i in group)
        own = Grain((), float(self.phi(_micro(group), 1)[0]))
        exhaustive = len(group) <= _ALL_GROUPINGS
        if exhaustive:
            own = self._best(own, (group,))
        rival = Grain((), 0.0)
        if own.phi > _TIE:
            inside = [subset for subset in _subsets(group) if subset != group]
            if exhaustive:
                rival = self._best(rival, inside)
            else:
                rival = self._best_of(rival, ((_micro(subset), 1) for subset in inside))
        how = (rival.units, rival.phi, exhaustive, self.phi.formalism, own.units)
        return Irreducibility(names, own.phi, *how)

    def _best(self, best: Grain, subsets: Iterable[Group]) -> Grain:
        """The best so far, or a better system of valid units that takes all of one of the sets of micro units.

        A unit of all of a set is left out: its own validity is what is asked.
        """
        systems = (
            (groups, grain)
            for subset in subsets
            for groups in _groupings(subset)
            for grain in self.grains
            if (groups != (subset,) or subset not in self._asked) and self.fault(groups, grain) is None
        )
        return self._best_of(best, systems)

    def _best_of(self, best: Grain, systems: Iterable[tuple[Groups, int]]) -> Grain:
        for groups, grain in systems:
            values = self.phi(groups, grain)
            if values.max() > best.phi + _TIE:
                tried = self.phi.grouping(groups, grain, self.phi.every(groups, grain), values, None)
                best = tried.grain(int(values.argmax()))
        return best


def _try(phi: GrainPhi, validity: _Validity, groups: Groups, grain: int, valid_only: bool) -> Grouping:
    fault = validity.fault(groups, grain)
    picks = phi.every(groups, grain)
    values = None if fault and valid_only else phi(groups, grain)
    return phi.grouping(groups, grain, picks, values, fault)


def _agglomerate(phi: GrainPhi, validity: _Validity, grain: int, valid_only: bool) -> Iterator[Grouping]:
    """Merge two groups at a time, from the micro grain; the other groups keep their mapping.

    Every merger tried is a candidate; the best of a step is where the next one starts.
    """
    groups = _micro(range(phi.sub.n))
    chosen = [len(p) - 1 for p in phi.every(groups, grain)]  # the unit's last state
    while len(groups) > 2:
        step: list[tuple[float, Groups, list[int]]] = []
        for a, b in combinations(range(len(groups)), 2):
            merged = tuple(sorted(groups[a] + groups[b]))
            if len(merged) > _ALL_GROUPINGS or (valid_only and not validity.of(merged).holds):
                continue
            rest = [i for i in range(len(groups)) if i not in (a, b)]
            after = (*(groups[i] for i in rest), merged)
            picks = [*(np.array([chosen[i]]) for i in rest), phi.every((merged,), grain)[0]]
            values = phi.compute(after, grain, picks)
            yield phi.grouping(after, grain, picks, values, validity.fault(after, grain))
            step.append((values.max(), after, [*(chosen[i] for i in rest), int(values.argmax())]))
        if not step:
            return
        top = max(value for value, _, _ in step)
        _, groups, chosen = next(s for s in step if s[0] > top - _TIE)


# --- what to try ------------------------------------------------------------------------------


def _plan(
    sub: Substrate,
    grains: Sequence[int],
    groupings: Sequence[Sequence[Sequence[UnitKey]]] | None,
    max_candidates: int,
) -> tuple[list[tuple[Groups, int]], str]:
    every = range(sub.n)
    if groupings is not None:
        chosen = [_checked(sub, g) for g in items(groupings, "groupings")]
        what, largest = f"{len(chosen)} given groupings", _ALL_MAPPINGS
    elif sub.n <= _ALL_GROUPINGS:
        chosen = [g for s in _subsets(tuple(every)) for g in _groupings(s)]
        what, largest = f"all groupings of all subsets of {sub.n} micro units", _ALL_MAPPINGS
    else:
        limit = _largest_union(sub.n, grains, max_candidates)
        chosen = [g for s in _subsets(tuple(every), limit) for g in _groupings(s)]
        largest = _ALL_MAPPINGS_LARGE
        what = (
            f"not exhaustive: all groupings of subsets of up to {limit} of {sub.n} micro units "
            f"(max_candidates = {max_candidates}), and of all units by greedy merging"
        )
    plan = [(groups, grain) for groups in chosen for grain in grains]
    if (_micro(every), 1) not in plan:
        plan.append((_micro(every), 1))
    listed = " and ".join(map(str, grains))
    return plan, (
        f"{what}; every mapping of up to {largest} constituents at update grain 1, at-least-k-ON "
        f"and black-box mappings otherwise; update grain {listed}; no background apportioned"
    )


def _largest_union(n: int, grains: Sequence[int], max_candidates: int) -> int:
    total = 0
    for size in range(1, _ALL_GROUPINGS + 1):
        total += math.comb(n, size) * sum(_count(size, grain) for grain in grains)
        if total > max_candidates:
            return max(size - 1, 1)
    return _ALL_GROUPINGS


@cache
def _count(size: int, grain: int) -> int:
    """Candidates that use all of `size` micro units of a large substrate."""
    return sum(
        math.prod(len(mapping_family(len(g), grain, _ALL_MAPPINGS_LARGE)) for g in groups)
        for groups in _groupings(tuple(range(size)))
    )


def _subsets(group: Group, largest: int | None = None) -> Iterator[Group]:
    for size in range(1, (largest or len(group)) + 1):
        yield from combinations(group, size)


@cache
def _groupings(units: Group) -> tuple[Groups, ...]:
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


def _micro(units: Sequence[int]) -> Groups:
    return tuple((i,) for i in units)


# --- checks -----------------------------------------------------------------------------------


def _checked(sub: Substrate, groups: Sequence[Sequence[UnitKey]]) -> Groups:
    groups = [items(g, "a group of units") for g in items(groups, "a grouping")]
    found = sorted(tuple(sorted(sub.indices([k])[0] for k in g)) for g in groups)
    flat = [i for g in found for i in g]
    if not all(found) or not found or len(set(flat)) < len(flat):
        raise SubstrateError(
            f"grouping {[list(g) for g in groups]}: groups must be non-empty and share no unit, or "
            "a cause would be counted twice"
        )
    return tuple(found)


def _grains(update_grains: Sequence[int] | None, windows: Ints) -> tuple[int, ...]:
    longest = windows.shape[1]
    if update_grains is None:
        return tuple(range(1, min(longest, 2) + 1))
    grains = tuple(sorted(set(wholes(items(update_grains, "update grains"), "update grains").tolist())))
    if not grains or grains[0] < 1 or grains[-1] > longest:
        raise SubstrateError(
            f"update grains {list(update_grains)} with a history of {longest} micro states: each "
            f"grain needs that many states; choose from 1..{longest} or give a longer history"
        )
    return grains


def _windows(
    sub: Substrate, history: History | Sequence[History], weights: npt.ArrayLike | None
) -> tuple[Ints, Floats]:
    """(windows, updates, n) micro states and their shares."""
    given = items(history, "a history of micro states")
    depth = 0 if isinstance(history, str) else _depth(given)
    each: list[Any] = given if depth == 3 else [history]
    states = [window_states(sub, h) for h in each]
    if len({len(s) for s in states}) > 1:
        raise SubstrateError(f"windows of {sorted({len(s) for s in states})} updates: give all windows one length")
    windows = np.stack(states)
    if weights is None:
        return windows, np.full(len(windows), 1 / len(windows))
    shares = floats(weights, "weights of windows")
    if shares.shape != (len(windows),) or not (shares >= 0).all() or not 0 < shares.sum() < np.inf:
        raise SubstrateError(
            f"weights of shape {shares.shape} for {len(windows)} windows: one non-negative weight "
            "per window is needed, not all zero"
        )
    seen = shares > 0
    return windows[seen], shares[seen] / shares.sum()


def _depth(history: list[Any]) -> int:
    """Axes of a history in any of its forms; a state as text is one axis."""
    depth, first = 1, history
    while len(first) and is_list(first[0]):
        depth, first = depth + 1, first[0]
    return depth + (len(first) > 0 and isinstance(first[0], str) and len(first[0]) > 1)
