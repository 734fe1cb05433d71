"""Exclusion over grains: which units, at which grain, make the system with the largest phi_s.

Source: Albantakis et al. 2023, "Determining maximal unit grains"; Marshall, Findlay, Albantakis &
Tononi 2024, "Intrinsic Units" (Eqs. 15-19). A unit must be maximally irreducible within: its constituents, micro units
or smaller valid units that these are put together to (meso units), make up a system whose phi_s is positive and
larger than that of every other system of valid units inside it: those that take only some of its micro units, and
those that put all of them together in another way. Its mapping reads the constituents. Among systems of valid units,
the one with the largest phi_s wins.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import chain, combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from iitcore._arrays import Floats, Ints
from iitcore._grain_phi import GrainPhi, Group, Groups, bodies
from iitcore._layout import SubstrateError
from iitcore._numbers import callback, floats, is_list, items, limit, truth, whole, wholes
from iitcore._validity import ALL_GROUPINGS, TIE, Validity, groupings_of, one_by_one, subsets_of
from iitcore.formalism import Formalism, code_of
from iitcore.grain_results import GrainSearch, Grouping, Irreducibility
from iitcore.macro import History, check_binary, window_states
from iitcore.macro_units import MacroUnit, few_mappings, mapping_family
from iitcore.substrate import Substrate, UnitKey

__all__ = ["is_maximally_irreducible_within", "search_grains"]

Progress = Callable[[int, int], None]

_ALL_MAPPINGS = 3  # constituents up to which every mapping is tried at update grain 1
_ALL_MAPPINGS_LARGE = 2  # the same, in substrates of more than ALL_GROUPINGS units
MAX_CANDIDATES = 200_000


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
    unit does not enter. Systems inside may run through the background that is apportioned to the unit. A micro unit
    at its own grain is always valid.

    Args:
        sub: substrate of binary units.
        unit: a macro unit, or names or indices of its constituents.
        history: as in `search_grains`.
        weights: as in `search_grains`.
        update_grains: grains of the systems inside, besides 1; by default 2 where the history has two states.
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
    own = unit.background_apportionment if isinstance(unit, MacroUnit) else ()
    lent = sub.indices(own) if own else ()
    group = sub.indices(unit.constituents if isinstance(unit, MacroUnit) else unit)
    windows, shares = _windows(sub, history, weights)
    grains = _grains(update_grains, windows)
    phi = GrainPhi(sub, windows, shares, _ALL_MAPPINGS, formalism, _rich(sub.n, grains, MAX_CANDIDATES))
    return Validity(phi, grains).of(group, lent)


def search_grains(
    sub: Substrate,
    history: History | Sequence[History],
    *,
    weights: npt.ArrayLike | None = None,
    update_grains: Sequence[int] | None = None,
    groupings: Sequence[Sequence[Sequence[UnitKey]]] | None = None,
    valid_only: bool = False,
    max_apportioned: int = 0,
    max_candidates: int = MAX_CANDIDATES,
    progress: Progress | None = None,
    formalism: Formalism = "2023",
) -> GrainSearch:
    """Search groupings, mappings and update grains for the system with the largest phi_s, and for all complexes.

    Up to 6 micro units every grouping of every subset is tried, what is left out being background.
    At update grain 1 a group of up to 3 constituents gets every mapping (those that differ by
    swapping ON and OFF are one), a larger one every function of the number of units ON and every
    black box whose outputs are all ON. Windows of several updates get at-least-k-ON and single-output
    mappings; and where that makes no more than `max_candidates` systems, every function of the number of ON
    states in windows of up to 8 states (constituents x updates), and every set of outputs in those of up to 12.
    Groups that are units of meso units only are mapped through these, besides.

    In larger substrates every mapping is tried for pairs only, systems are limited to as many micro
    units as `max_candidates` allows, and systems of all units are followed by merging, from the micro
    grain, the two groups whose union gives the largest phi_s, step by step: `exhaustive` is False.
    `scope` of the result says what was searched. Ties for the winner are reported, not resolved; complexes that
    tie are told apart by their Φ.

    Args:
        sub: substrate of binary units.
        history: (updates, n) micro states, oldest first; or several such windows,
            (windows, updates, n), over which phi_s is averaged wherever it is used.
        weights: (windows,) share of each window, such as the stationary distribution; equal by
            default.
        update_grains: by default 1, and 2 where the history has two states.
        groupings: try these only (and the micro grain), each a list of groups of names or indices.
        valid_only: do not compute phi_s of systems with units that are not valid.
        max_apportioned: background units that may be apportioned to the units of one system, in every way that can
            matter: at update grains above 1, to valid units, where they act on a unit and are acted on. None by
            default.
        max_candidates: bound of what is tried in substrates of more than 6 units, and over longer windows.
        progress: called with (candidates done, candidates planned).
        formalism: version of the theory, see `iitcore.formalism`.

    Returns:
        The winner, the complexes, every candidate, and the verdict on every set of units.

    Raises:
        SubstrateError: when history, weights or groupings do not fit the substrate.

    Example:
        >>> copies = Substrate([[0, 0], [0, 1], [1, 0], [1, 1]])
        >>> search_grains(copies, (1, 1)).winner
        Grain(phi_s = 2; A: as is | B: as is; valid)
    """
    check_binary(sub)
    code_of(formalism)
    callback(progress, "progress")
    valid_only = truth(valid_only, "valid_only")
    max_candidates = limit(max_candidates, "max_candidates") or MAX_CANDIDATES
    most = whole(max_apportioned, "max_apportioned")
    if most < 0:
        raise SubstrateError(f"max_apportioned: {most} background units; give 0 or more")
    windows, shares = _windows(sub, history, weights)
    grains = _grains(update_grains, windows)
    rich = _rich(sub.n, grains, max_candidates)
    plan, scope = _plan(sub, grains, groupings, max_candidates, rich)
    large = sub.n > ALL_GROUPINGS and groupings is None
    largest = _ALL_MAPPINGS_LARGE if large else _ALL_MAPPINGS
    phi = GrainPhi(sub, windows, shares, largest, formalism, rich)
    validity = Validity(phi, grains)
    total = sum(math.prod(len(p) for p in phi.every(bodies(groups), grain)) for groups, grain in plan)
    tried: list[Grouping] = []
    done = 0
    merged = (_agglomerate(phi, validity, grain, valid_only) for grain in grains if large)
    planned = (_try(phi, validity, groups, grain, (valid_only, most)) for groups, grain in plan)
    for grouping in chain.from_iterable((*planned, *merged)):
        tried.append(grouping)
        done += len(grouping)
        if progress is not None:
            progress(done, max(done, total))
    exhaustive = not large and groupings is None and (rich or grains == (1,))
    scope += f"; {_apportioned_words(most, grains)}"
    verdicts = tuple(validity.found.values())
    return GrainSearch.of(tuple(tried), verdicts, exhaustive, scope, formalism, phi.log2_big_phi)


def _try(phi: GrainPhi, validity: Validity, groups: Groups, grain: int, how: tuple[bool, int]) -> Iterator[Grouping]:
    """A grouping with mappings of micro units; where it is of valid units also through meso units, and background.

    Args:
        phi: phi_s of systems.
        validity: which units are valid.
        groups: micro units of each macro unit.
        grain: micro updates per macro update.
        how: whether to leave phi_s of what is not valid; how many background units are apportioned at most.
    """
    valid_only, most = how
    plain = bodies(groups)
    valid, fault = validity.units(groups, grain)
    if valid is not None and valid != plain:
        fault = next(validity.of(b.group if not b.mesos else _sorted(b.group)).reason for b in valid if b.mesos)
        fault += "; this mapping does not read them"
    values = None if fault and valid_only else phi(plain, grain)
    yield phi.grouping(plain, grain, phi.every(plain, grain), values, fault)
    through = [valid] if valid is not None and valid != plain else []
    if most:
        free = tuple(i for i in range(phi.sub.n) if not any(i in g for g in groups))
        ways = (validity.units(groups, grain, way)[0] for way in validity.apportioned(groups, grain, free, most))
        through += [system for system in ways if system is not None]
    for system in through:
        yield phi.grouping(system, grain, phi.every(system, grain), phi(system, grain), None)


def _agglomerate(phi: GrainPhi, validity: Validity, grain: int, valid_only: bool) -> Iterator[Grouping]:
    """Merge two groups at a time, from the micro grain; the other groups keep their mapping.

    Every merger tried is a candidate; the best of a step is where the next one starts. Mappings read micro units.
    """
    groups = one_by_one(range(phi.sub.n))
    chosen = [len(p) - 1 for p in phi.every(bodies(groups), grain)]  # the unit's last state
    while len(groups) > 2:
        step: list[tuple[float, Groups, list[int]]] = []
        for a, b in combinations(range(len(groups)), 2):
            merged = _sorted(groups[a] + groups[b])
            if len(merged) > ALL_GROUPINGS or (valid_only and not validity.of(merged).holds):
                continue
            rest = [i for i in range(len(groups)) if i not in (a, b)]
            after = (*(groups[i] for i in rest), merged)
            picks = [*(np.array([chosen[i]]) for i in rest), phi.every(bodies((merged,)), grain)[0]]
            values = phi.compute(bodies(after), grain, picks)
            valid, fault = validity.units(after, grain)
            if valid is not None and valid != bodies(after):
                fault = "a unit of meso units is not mapped through them"
            yield phi.grouping(bodies(after), grain, picks, values, fault)
            step.append((values.max(), after, [*(chosen[i] for i in rest), int(values.argmax())]))
        if not step:
            return
        top = max(value for value, _, _ in step)
        _, groups, chosen = next(s for s in step if s[0] > top - TIE)


# --- what to try ------------------------------------------------------------------------------


def _plan(
    sub: Substrate,
    grains: Sequence[int],
    groupings: Sequence[Sequence[Sequence[UnitKey]]] | None,
    max_candidates: int,
    rich: bool,
) -> tuple[list[tuple[Groups, int]], str]:
    every = range(sub.n)
    if groupings is not None:
        chosen = [_checked(sub, g) for g in items(groupings, "groupings")]
        what, largest = f"{len(chosen)} given groupings", _ALL_MAPPINGS
    elif sub.n <= ALL_GROUPINGS:
        chosen = [g for s in subsets_of(tuple(every)) for g in groupings_of(s)]
        what, largest = f"all groupings of all subsets of {sub.n} micro units", _ALL_MAPPINGS
    else:
        most = _largest_union(sub.n, grains, max_candidates)
        chosen = [g for s in subsets_of(tuple(every), most) for g in groupings_of(s)]
        largest = _ALL_MAPPINGS_LARGE
        what = (
            f"not exhaustive: all groupings of subsets of up to {most} of {sub.n} micro units "
            f"(max_candidates = {max_candidates}), and of all units by greedy merging of groups of up to "
            f"{ALL_GROUPINGS}, mapped by their micro units"
        )
    plan = [(groups, grain) for groups in chosen for grain in grains]
    if (one_by_one(every), 1) not in plan:
        plan.append((one_by_one(every), 1))
    listed = " and ".join(map(str, grains))
    longer = (
        "at-least-k-ON and single-output mappings"
        if not rich
        else (
            "every function of the number ON of up to 8 states and every black box of up to 12, at-least-k-ON and "
            "single-output mappings beyond"
        )
    )
    return plan, (
        f"{what}; every mapping of up to {largest} constituents at update grain 1, functions of the number ON and "
        f"black boxes beyond; update grain {listed}{f', there {longer}' if grains[-1] > 1 else ''}; units of meso "
        "units mapped through them"
    )


def _apportioned_words(most: int, grains: Sequence[int]) -> str:
    if not most or grains[-1] == 1:
        return "no background apportioned"
    return f"up to {most} background units apportioned, to valid units at update grains above 1"


def _rich(n: int, grains: Sequence[int], max_candidates: int) -> bool:
    """Whether longer windows get more mappings than thresholds and single outputs: few units, few candidates."""
    if n > ALL_GROUPINGS:
        return False
    sizes = range(1, n + 1)
    return sum(math.comb(n, k) * _count(k, g, _ALL_MAPPINGS, True) for k in sizes for g in grains) <= max_candidates


def _largest_union(n: int, grains: Sequence[int], max_candidates: int) -> int:
    total = 0
    for size in range(1, ALL_GROUPINGS + 1):
        total += math.comb(n, size) * sum(_count(size, grain, _ALL_MAPPINGS_LARGE, False) for grain in grains)
        if total > max_candidates:
            return max(size - 1, 1)
    return ALL_GROUPINGS


@cache
def _count(size: int, grain: int, exhaustive: int, rich: bool) -> int:
    """Candidates that use all of `size` micro units, mapped as such."""
    return sum(
        math.prod(
            len(mapping_family(len(g), grain, exhaustive)) if rich or grain == 1 else few_mappings(len(g), grain)
            for g in groups
        )
        for groups in groupings_of(tuple(range(size)))
    )


def _sorted(group: Group) -> Group:
    return tuple(sorted(group))


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
    while len(first) and is_list(first[0]) and depth < 4:
        depth, first = depth + 1, first[0]
    return depth + (len(first) > 0 and isinstance(first[0], str) and len(first[0]) > 1)
