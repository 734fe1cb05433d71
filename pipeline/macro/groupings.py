"""Disjoint groupings of micro units into macro units: their names, their macro TPM, the best and the random.

A macro unit is ON when at least k of its units are: `and` (all), `or` (one), `majority` (more than
half) or `threshold:k`. What is maximised (`macro.objectives`) is the effective information of the macro
TPM, which is derived from the micro TPM (every micro state in the pre-image of a macro state counts
alike), or phi_s of the macro units.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import factorial

import numpy as np

from iitcore.macro import derive_macro_tpm
from pipeline.base.arrays import Array, Floats, Ints
from pipeline.base.errors import PhiscaleError, Problem
from pipeline.base.raster import states_of
from pipeline.emergence.discrete import effective_information, state_by_state
from pipeline.macro.objectives import EI, Objective
from pipeline.macro.parameters import EXHAUSTIVE_UNITS, MAPPINGS

TIE = 1e-9  # bits: closer candidates are tied, the first in order is taken


@dataclass(frozen=True)
class Grouping:
    """Which units form which macro unit, and when that is ON.

    Attributes:
        group: (micro unit,) macro unit of each, numbered by first member.
        mapping: (macro unit,) name of its state mapping.
        objective: what it was chosen for: effective information of the macro TPM [bit], or phi_s [ibit].
        agreement: how many restarts of the encoder ended here (1 for a search without restarts).

    >>> pairs = Grouping((0, 0, 1, 1), ("and", "or"))
    >>> pairs.blocks, pairs.thresholds
    (((0, 1), (2, 3)), (2, 1))
    """

    group: tuple[int, ...]
    mapping: tuple[str, ...]
    objective: float = float("nan")
    agreement: int = 1

    @property
    def blocks(self) -> tuple[tuple[int, ...], ...]:
        """Micro units of each macro unit."""
        return tuple(tuple(i for i, g in enumerate(self.group) if g == j) for j in range(len(self.mapping)))

    @property
    def thresholds(self) -> tuple[int, ...]:
        """Least number of ON units that turns each macro unit ON."""
        return tuple(threshold(m, len(b)) for m, b in zip(self.mapping, self.blocks, strict=True))

    @property
    def truth_tables(self) -> tuple[tuple[int, ...], ...]:
        """Truth table of each macro unit, its first constituent fastest."""
        return tuple(
            tuple(int(x.bit_count() >= k) for x in range(2 ** len(b)))
            for b, k in zip(self.blocks, self.thresholds, strict=True)
        )

    def macro_p_on(self, p_on: Array) -> Floats:
        """Return macro P(ON), (..., 2**m, m), from micro P(ON), (..., 2**n, n)."""
        p_on = np.asarray(p_on, dtype=float)
        macro = derive_macro_tpm(p_on.reshape(-1, *p_on.shape[-2:]), self.blocks, self.truth_tables)
        return macro.reshape(*p_on.shape[:-2], *macro.shape[-2:])

    def macro_state(self) -> Ints:
        """Return the macro state of every micro state, (2**n,)."""
        return _macro_codes(self.group, self.thresholds)


def threshold(mapping: str, size: int) -> int:
    """Return the least number of ON units for a mapping's name and a group's size.

    Args:
        mapping: `and`, `or`, `majority` or `threshold:k`.
        size: number of units in the group.

    >>> threshold("majority", 4), threshold("threshold:2", 4)
    (3, 2)
    """
    fixed = {"and": size, "or": 1, "majority": size // 2 + 1}
    return fixed[mapping] if mapping in fixed else int(mapping.removeprefix("threshold:"))


def mapping_name(k: int, size: int, allowed: Sequence[str] = MAPPINGS) -> str:
    """Return the name of the mapping "at least k of size", the first that fits among those allowed.

    Args:
        k: least number of ON units that turns the macro unit ON.
        size: number of units in the group.
        allowed: mappings that a macro unit may take; where none fits, the name is `threshold:k`.
    """
    names = [m for m in MAPPINGS[:3] if m in allowed and threshold(m, size) == k]
    return names[0] if names else f"threshold:{k}"


def allowed_thresholds(size: int, allowed: Sequence[str]) -> tuple[int, ...]:
    """Return the thresholds that a group of `size` units may take, increasing.

    Args:
        size: number of units in the group.
        allowed: mappings that a macro unit may take; `threshold` stands for every k.
    """
    if "threshold" in allowed or size == 1:
        return tuple(range(1, size + 1))
    return tuple(sorted({threshold(m, size) for m in allowed}))


def canonical(group: Sequence[int], ks: Sequence[int], allowed: Sequence[str]) -> Grouping:
    """Return the grouping with macro units numbered by first member.

    Args:
        group: (unit,) macro unit of each unit.
        ks: (macro unit,) least number of ON units that turns it ON, as numbered in `group`.
        allowed: mappings that a macro unit may take.
    """
    order = list(dict.fromkeys(group))
    relabelled = tuple(order.index(g) for g in group)
    names = tuple(mapping_name(ks[g], list(group).count(g), allowed) for g in order)
    return Grouping(relabelled, names)


def objective(grouping: Grouping, p_on: Array) -> float:
    """Return the effective information [bit] of the macro TPM, every macro state set equally often.

    Args:
        grouping: of the micro units.
        p_on: (2**n, n) micro P(ON).
    """
    return float(effective_information(state_by_state(grouping.macro_p_on(p_on))))


def check(n_units: int, n_macro: int, allowed: Sequence[str]) -> None:
    """Return if units can be grouped into macro units with these mappings.

    Args:
        n_units: number of units.
        n_macro: number of macro units.
        allowed: mappings that a macro unit may take.

    Raises:
        PhiscaleError: they cannot; the message says which of the numbers or mappings is wrong.
    """
    if not 1 <= n_macro <= n_units:
        raise PhiscaleError(
            Problem(
                "macro.scales",
                f"{n_macro} macro units out of {n_units} units",
                "Each macro unit needs at least one unit of its own",
                f"use scales between 1 and {n_units}",
            )
        )
    unknown = [m for m in allowed if m not in MAPPINGS]
    if unknown or not allowed:
        raise PhiscaleError(
            Problem(
                "macro.mappings",
                f"{unknown[0]!r} is not a mapping" if unknown else "is empty",
                "A macro unit would have no state",
                f"choose among {', '.join(MAPPINGS)}",
            )
        )


def exhaustive(
    p_on: Array,
    n_macro: int,
    allowed: Sequence[str] = MAPPINGS,
    objective: Objective = EI,
    visits: Array | None = None,
) -> list[Grouping]:
    """Find the best grouping of each micro TPM over all groupings and mappings (at most 540 candidates).

    Args:
        p_on: (..., 2**n, n) P(ON) of many TPMs (surrogates).
        n_macro: number of macro units.
        allowed: state mappings that a macro unit may take.
        objective: what is maximised.
        visits: (2**n,) frames in each state, for objectives that weigh states; every state alike by default.

    Returns:
        Flat list, one for each TPM.

    Raises:
        PhiscaleError: more than 6 units, impossible sizes, unknown mappings.
    """
    p_on = np.asarray(p_on, dtype=float)
    n = p_on.shape[-1]
    check(n, n_macro, allowed)
    if n > EXHAUSTIVE_UNITS:
        raise PhiscaleError(
            Problem(
                "macro.method",
                f"'exhaustive' with {n} units (at most {EXHAUSTIVE_UNITS})",
                "The number of groupings explodes",
                "use the encoder, or fewer units",
            )
        )
    return [
        _largest(n, n_macro, allowed, _values(one, n_macro, allowed, objective, visits))
        for one in p_on.reshape(-1, *p_on.shape[-2:])
    ]


def exhaustive_common(
    p_on: Floats,
    n_macro: int,
    allowed: Sequence[str] = MAPPINGS,
    objective: Objective = EI,
    visits: Array | None = None,
) -> Grouping:
    """Find the best grouping for several micro TPMs at once: the largest mean of their objectives.

    Args:
        p_on: (window, 2**n, n) P(ON).
        n_macro: number of macro units.
        allowed: state mappings that a macro unit may take.
        objective: what is maximised.
        visits: (window, 2**n) frames in each state, for objectives that weigh states; every state alike by default.

    Returns:
        The grouping; its `objective` is that mean.

    Raises:
        PhiscaleError: impossible sizes, unknown mappings.
    """
    n = p_on.shape[-1]
    check(n, n_macro, allowed)
    seen = np.ones(p_on.shape[:-1]) if visits is None else np.asarray(visits)
    each = zip(p_on, seen, strict=True)
    mean = np.mean([_values(one, n_macro, allowed, objective, own) for one, own in each], axis=0)
    return _largest(n, n_macro, allowed, mean)


def _values(
    p_on: Floats, n_macro: int, allowed: Sequence[str], objective: Objective = EI, visits: Array | None = None
) -> Floats:
    """Objective of every candidate, (candidate,), for one micro TPM."""
    _, features, weights = _candidates(p_on.shape[-1], n_macro, tuple(allowed))
    on = _feature_probabilities(p_on)[features]  # (candidate, macro unit, micro state)
    seen = np.ones(len(p_on)) if visits is None else visits
    return objective.values(weights @ np.swapaxes(on, -1, -2), (weights > 0) @ seen)


def _largest(n: int, n_macro: int, allowed: Sequence[str], value: Floats) -> Grouping:
    candidate = _candidates(n, n_macro, tuple(allowed))[0]
    best = int(np.argmax(value > value.max() - TIE))
    return Grouping(candidate[best].group, candidate[best].mapping, float(value[best]))


def matched_groupings(grouping: Grouping, n: int, rng: np.random.Generator) -> list[Grouping]:
    """Draw other groupings with the same sizes and, size by size, the same mappings.

    Args:
        grouping: what they are matched to.
        n: how many at most.
        rng: source of chance.

    Returns:
        Up to `n`, all if there are fewer: distinct, drawn uniformly, sorted; `grouping` is not among them.
    """
    sizes = [len(b) for b in grouping.blocks]
    ks = grouping.thresholds
    total = factorial(len(grouping.group))
    for size in sizes:
        total //= factorial(size)
    kinds = list(zip(sizes, ks, strict=True))
    for kind in set(kinds):
        total //= factorial(kinds.count(kind))
    names = {(s, k): m for s, k, m in zip(sizes, ks, grouping.mapping, strict=True)}
    found: set[tuple[tuple[int, ...], tuple[str, ...]]] = set()
    while len(found) < min(n, total - 1):
        group = rng.permutation(grouping.group).tolist()
        order = list(dict.fromkeys(group))
        key = (tuple(order.index(g) for g in group), tuple(names[kinds[g]] for g in order))
        if key != (grouping.group, grouping.mapping):
            found.add(key)
    return [Grouping(*key) for key in sorted(found)]


@lru_cache(maxsize=16)
def _candidates(n: int, n_macro: int, allowed: tuple[str, ...]) -> tuple[list[Grouping], Ints, Floats]:
    """All candidates, their features (candidate, macro unit) and averaging weights (candidate, 2**m, 2**n).

    Row f = (members - 1) * n + k - 1 of `_feature_probabilities` belongs to a group (as a bit mask) and
    threshold k. Candidates are in lexicographic order of group, then of decreasing thresholds.
    """
    candidates, features, weights = [], [], []
    for group in _surjections(n, n_macro):
        sizes = [group.count(j) for j in range(n_macro)]
        masks = [sum(1 << i for i in range(n) if group[i] == j) for j in range(n_macro)]
        for ks in product(*(allowed_thresholds(s, allowed)[::-1] for s in sizes)):
            candidates.append(canonical(group, ks, allowed))
            features.append([(m - 1) * n + k - 1 for m, k in zip(masks, ks, strict=True)])
            member = np.arange(2**n_macro)[:, None] == _macro_codes(group, ks)
            weights.append(member / member.sum(axis=1, keepdims=True))
    return candidates, np.array(features), np.stack(weights)


def _feature_probabilities(p_on: Floats) -> Floats:
    """P(at least k units of a group are ON next | micro state), (group mask and k, 2**n); see `_candidates`."""
    n_states, n = p_on.shape
    count = np.zeros((2**n, n + 1, n_states))
    count[0, 0] = 1.0
    for mask in range(1, 2**n):
        p = p_on[:, mask.bit_length() - 1]
        fewer = count[mask ^ (1 << (mask.bit_length() - 1))]
        count[mask] = fewer * (1 - p)
        count[mask, 1:] += fewer[:-1] * p
    at_least = np.cumsum(count[1:, ::-1], axis=1)[:, ::-1]
    return at_least[:, 1:].reshape(-1, n_states)


def _macro_codes(group: Sequence[int], ks: Sequence[int]) -> Ints:
    """Macro state of every micro state, (2**n,)."""
    bits = states_of(len(group))
    on = [bits[:, np.array(group) == j].sum(axis=1) >= k for j, k in enumerate(ks)]
    codes: Ints = np.stack(on, axis=1) @ (1 << np.arange(len(ks)))
    return codes


def _surjections(n: int, m: int) -> Iterator[tuple[int, ...]]:
    """Groupings of n units into m non-empty groups, groups numbered by first member."""
    for group in product(range(m), repeat=n):
        if list(dict.fromkeys(group)) == list(range(m)):
            yield group
