"""Macro units: what a system of coarse-grained or black-boxed units does to itself.

A macro unit is a set of micro units, read over a window of micro updates through a mapping to OFF
or ON. Its TPM is derived from the micro TPM in four steps (Albantakis et al. 2023, "Determining
maximal unit grains"; Marshall, Findlay, Albantakis & Tononi 2024, "Intrinsic Units"): discount what
reaches the unit from outside, chain its micro updates, condition on the background, compress micro
states into macro states. The result is an ordinary `System`: phi_s and the structure follow as for
any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from iitcore._arrays import Array, Floats, Ints
from iitcore._bits import average_over, gather, joint, others, spread, state_codes
from iitcore._jit import compiled
from iitcore._kernels import relative_likelihood
from iitcore._layout import SubstrateError, check_on, offsets
from iitcore._numbers import floats, is_list, items, of_kind
from iitcore._plain import Plain
from iitcore.macro_units import MacroUnit
from iitcore.substrate import Substrate, System

__all__ = ["MacroTPMs", "MacroUnit", "derive_macro_tpm", "macro_system", "macro_tpms"]

Lent = tuple[Sequence[int], Sequence[int]]  # constituents of a unit, background apportioned to it
History = Sequence[Sequence[int]] | Sequence[int] | Sequence[str] | str | Array


@dataclass(frozen=True, eq=False, repr=False)
class MacroTPMs(Plain):
    """TPMs of a system of macro units.

    Attributes:
        cause, effect: (2**m, m) P(macro unit ON | macro state), rows little-endian.
        state: current macro state.
        labels: one name per macro unit.
        reachable: False when the micro state that opens the window has no possible predecessor;
            `cause` then averages the background uniformly.
    """

    cause: Floats
    effect: Floats
    state: tuple[int, ...]
    labels: tuple[str, ...]
    reachable: bool = True

    def __repr__(self) -> str:
        units = ", ".join(f"{u}={v}" for u, v in zip(self.labels, self.state, strict=True))
        return f"MacroTPMs({units}{'' if self.reachable else ', unreachable'})"


def macro_tpms(sub: Substrate, macro_units: Sequence[MacroUnit], history: History) -> MacroTPMs:
    """Derive the macro cause and effect TPM from the micro TPM (four steps, see module).

    Args:
        sub: substrate of binary micro units.
        macro_units: units with disjoint constituents and one common update grain. Micro units in
            none of them are background.
        history: (update grain, n) micro states, oldest first; one state will do at grain 1.

    Raises:
        SubstrateError: when the units do not fit the substrate, each other or the history.

    Example:
        Two pairs whose units turn ON when both units of the other pair are:

        >>> import numpy as np
        >>> on = (np.arange(16)[:, None] >> np.arange(4)) & 1
        >>> left, right = on[:, :2].all(axis=1), on[:, 2:].all(axis=1)
        >>> pairs = Substrate(np.stack([right, right, left, left], axis=1))
        >>> units = MacroUnit.all_on(("A", "B")), MacroUnit.all_on(("C", "D"))
        >>> macro_tpms(pairs, units, "1100").effect.round(3).tolist()
        [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
    """
    units = _resolve(sub, macro_units)
    window = _window(sub, history, units[0].grain)
    background = others(sub.n, [i for u in units for i in u.inside])
    now, before = background_weights(sub, window, background)
    reachable = before is not None
    if before is None:
        before = np.full(len(now), 1.0 / len(now))
    lent = [(u.inside, u.through) for u in units if u.through]
    on = [on_probability(sub.tpm, u.inside, u.table[None], u.grain, lent)[0] for u in units]
    order = [i for u in units for i in u.inside]

    def compress(q: Floats) -> Floats:
        held = np.stack([condition(p, order, background, q) for p in on])
        return np.ascontiguousarray(compress_states(held, [u.weights for u in units]).T)

    return MacroTPMs(
        compress(before),
        compress(now),
        tuple(int(u.table[_sequence(window, u.inside)]) for u in units),
        tuple(_label([sub.units[i] for i in u.inside]) for u in units),
        reachable,
    )


def macro_system(sub: Substrate, macro_units: Sequence[MacroUnit], history: History) -> System:
    """The system of macro units, with its own cause and effect TPM.

    Args:
        sub: substrate of binary micro units.
        macro_units: as in `macro_tpms`.
        history: as in `macro_tpms`.

    Returns:
        A system like any other: for `system_phi`, `unfold` and the rest.

    Raises:
        SubstrateError: when the units do not fit the substrate, each other or the history.

    Example:
        >>> import numpy as np
        >>> on = (np.arange(16)[:, None] >> np.arange(4)) & 1
        >>> left, right = on[:, :2].all(axis=1), on[:, 2:].all(axis=1)
        >>> pairs = Substrate(np.stack([right, right, left, left], axis=1))
        >>> units = MacroUnit.all_on(("A", "B")), MacroUnit.all_on(("C", "D"))
        >>> macro_system(pairs, units, "1100")
        System((A,B)=1, (C,D)=0)
    """
    tpms = macro_tpms(sub, macro_units, history)
    system = System.from_tpms(tpms.cause, tpms.effect, tpms.state, tpms.labels)
    return system if tpms.reachable else replace(system, reachable=False)


def derive_macro_tpm(
    micro_tpm: npt.ArrayLike,
    groups: Sequence[Sequence[int]],
    mappings: Sequence[Sequence[int]],
) -> Floats:
    """Macro TPM of many micro TPMs at once, when every micro unit is in a group.

    At update grain 1 and without background there is nothing to infer about the past and nothing to
    hold fixed in the present: cause and effect TPM are the same array whatever the state, so one is
    returned (pass it to `phi_batch` without `cause_tpms`).

    Args:
        micro_tpm: (2**n, n), or (draws, 2**n, n), P(ON), rows little-endian.
        groups: m disjoint groups of unit indices that cover all n units.
        mappings: per group a truth table of 2**len(group) zeros and ones, the group's first unit
            fastest.

    Returns:
        (2**m, m), or (draws, 2**m, m), P(macro unit ON | macro state).

    Raises:
        SubstrateError: when groups do not partition the units, or a mapping does not fit its group.

    Example:
        >>> tpm = [[0.1, 0.1], [0.1, 0.1], [0.1, 0.1], [0.9, 0.9]]  # a pair that ignites together
        >>> derive_macro_tpm(tpm, [(0, 1)], [(0, 0, 0, 1)]).round(3).tolist()
        [[0.01], [0.81]]
    """
    tpm = floats(micro_tpm, "micro TPM")
    n = tpm.shape[-1] if tpm.ndim in (2, 3) else 0
    if not n or tpm.shape[-2] != 2**n:
        raise SubstrateError(f"micro TPM has shape {tpm.shape}; it must be (2**n, n) or (draws, 2**n, n)")
    tpm = check_on(tpm.reshape(-1, 2**n, n), "micro TPM").reshape(tpm.shape)
    groups, mappings = items(groups, "groups of units"), items(mappings, "mappings")
    if len(groups) != len(mappings):
        raise SubstrateError(f"{len(groups)} groups and {len(mappings)} mappings: give one each")
    units = [MacroUnit(g, m) for g, m in zip(groups, mappings, strict=True)]
    order = [int(i) for u in units for i in u.constituents]
    if sorted(order) != list(range(n)):
        raise SubstrateError(
            f"groups {[list(g) for g in groups]} do not hold each of the units 0..{n - 1} once: "
            "with units left out the macro TPM depends on the background; use macro_tpms"
        )
    rows = np.arange(2**n, dtype=np.int64)
    tables = [np.array(u.mapping, dtype=np.int64) for u in units]
    code = sum(t[gather(rows, g)] << j for j, (t, g) in enumerate(zip(tables, groups, strict=True)))
    out = _derive(
        np.ascontiguousarray(tpm.reshape(-1, 2**n, n)),
        np.array(order, dtype=np.int64),
        np.cumsum([0, *map(len, groups)]).astype(np.int64),
        np.concatenate(tables),
        np.asarray(code),
        1.0 / np.bincount(code, minlength=2 ** len(units)),
    )
    return np.asarray(out if tpm.ndim == 3 else out[0])


@compiled
def _derive(tpm: Floats, order: Ints, start: Ints, tables: Ints, code: Ints, share: Floats) -> Floats:
    """Macro TPMs (draws, 2**m, m); every draw by the same operations in the same order.

    At grain 1 the pre-images of macro states partition the micro states, so compressing is
    averaging over the micro states with one macro code.
    """
    m = len(start) - 1
    out = np.zeros((tpm.shape[0], len(share), m))
    chance = np.empty(tpm.shape[1])
    for d in range(tpm.shape[0]):
        for x in range(tpm.shape[1]):
            table = 0
            for j in range(m):
                size = 1
                chance[0] = 1.0
                for i in order[start[j] : start[j + 1]]:
                    p = tpm[d, x, i]
                    for v in range(size):
                        chance[size + v] = chance[v] * p
                        chance[v] *= 1.0 - p
                    size *= 2
                on = 0.0
                for v in range(size):
                    if tables[table + v]:
                        on += chance[v]
                table += size
                out[d, code[x], j] += on * share[code[x]]
    return out


# --- the four steps, on arrays; the grain search shares them ----------------------------------


@dataclass(frozen=True, eq=False)
class _Resolved:
    """A macro unit by unit index: constituents, apportioned background, table, grain."""

    inside: tuple[int, ...]
    through: tuple[int, ...]
    table: Ints
    grain: int

    @property
    def weights(self) -> Floats:
        return preimage_weights(self.table, len(self.inside))


def on_probability(
    tpm: Floats, inside: Sequence[int], tables: Floats | Ints, grain: int, lent: Sequence[Lent] = ()
) -> Floats:
    """Steps 1 and 2 for many mappings of one set of constituents.

    Args:
        tpm: (2**n, n) micro P(ON).
        inside: constituents.
        tables: (mappings, 2**(len(inside) * grain)).
        grain: micro updates per macro update.
        lent: of each unit of the system to which background is apportioned, its constituents and that background,
            which keeps its inputs from these and from itself.

    Returns:
        (mappings, 2**n) P(macro unit ON | universe state at the start of the window).
    """
    discounted = tpm.copy() if lent else tpm
    for constituents, apportioned in lent:
        lost = others(tpm.shape[1], (*constituents, *apportioned))
        for i in apportioned:
            discounted[:, i] = average_over(tpm[:, i], lost)
    through = tuple(i for _, apportioned in lent for i in apportioned)
    return _chain(discounted, tuple(inside), through, np.asarray(tables, dtype=float), grain)


def _chain(tpm: Floats, inside: tuple[int, ...], through: tuple[int, ...], tables: Floats, grain: int) -> Floats:
    """Chain `grain` updates backwards; units neither `inside` nor `through` are pure noise."""
    n, k = tpm.shape[1], len(inside)
    noise = others(n, inside + through)
    kept = inside + through
    source = joint(tpm[:, inside])
    # Axes of `value`: universe state, constituent states from newest to oldest, mapping.
    value = np.moveaxis(tables, 0, -1).reshape(*[2**k] * grain, len(tables))
    value = np.tensordot(source, value, axes=(1, 0))
    if grain == 1:
        return np.ascontiguousarray(value.T)
    part = gather(np.arange(2**n), inside)
    dull = joint(tpm[:, noise].mean(axis=0)[None])[0]
    active = joint(tpm[:, kept])
    grid = spread(kept)[:, None] | spread(noise)[None, :]
    for _ in range(grain - 1):
        value = value[np.arange(2**n), part]
        value = np.tensordot(value[grid], dull, axes=(1, 0))
        value = np.tensordot(active, value, axes=(1, 0))
    return np.ascontiguousarray(value.T)


def background_weights(sub: Substrate, window: Ints, background: Sequence[int]) -> tuple[Floats, Floats | None]:
    """Step 3: distribution over background states for effects, and for causes.

    Args:
        sub: substrate of binary units.
        window: (updates, n) micro states, oldest first.
        background: positions of the background units.

    Returns:
        Two (2**len(background),) arrays; the second is None when the first state of the window
        cannot be reached from any state.
    """
    now = np.zeros(2 ** len(background))
    now[gather(state_codes(window[-1:]), background)[0]] = 1.0
    likelihood = relative_likelihood(sub.packed, offsets(sub.alphabet), window[0])
    rest = others(sub.n, background)
    before = likelihood[spread(background)[:, None] | spread(rest)[None, :]].sum(axis=1)
    total = before.sum()
    return now, before / total if total > 0 else None


def condition(on: Floats, order: Sequence[int], background: Sequence[int], q: Floats) -> Floats:
    """Average (..., 2**n) over background states: (..., 2**len(order)), `order` little-endian.

    Args:
        on: (..., 2**n) one value per universe state.
        order: positions of the units that are kept.
        background: positions of the others.
        q: (2**len(background),) probability of each background state.
    """
    grid = spread(order)[:, None] | spread(background)[None, :]
    return np.asarray(on[..., grid] @ q)


def preimage_weights(table: Floats | Ints, constituents: int) -> Floats:
    """Step 4's r: (2, 2**constituents), share of a macro state's sequences ending in a state.

    Args:
        table: (2**(constituents * grain),) truth table of a macro unit, older updates faster.
        constituents: number of its constituents.
    """
    ends = np.asarray(table, dtype=float).reshape(2**constituents, -1)
    on = ends.sum(axis=1)
    off = ends.shape[1] - on
    return np.asarray(np.stack([off / off.sum(), on / on.sum()]))


def compress_states(values: Floats, weights: Sequence[Floats]) -> Floats:
    """Step 4: (draws, 2**units) over micro states -> (draws, 2**m) over macro states.

    Args:
        values: columns little-endian over the constituents of all macro units, unit after unit.
        weights: per macro unit its `preimage_weights`.
    """
    sizes = [w.shape[1] for w in reversed(weights)]
    grid = values.reshape(len(values), *sizes)
    for w in reversed(weights):
        grid = np.tensordot(grid, w, axes=(1, 1))
    return np.asarray(grid.reshape(len(values), -1))


# --- checks -------------------------------------------------------------------------------------


def _sequence(window: Ints, inside: Sequence[int]) -> int:
    """Index of a window's constituent states in a truth table: older updates faster."""
    parts = gather(state_codes(window), inside)
    return int(sum(int(p) << (t * len(inside)) for t, p in enumerate(parts)))


def _label(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else "(" + ",".join(names) + ")"


def check_binary(sub: Substrate) -> None:
    """Refuse micro units of more than two values.

    Args:
        sub: the substrate.

    Raises:
        SubstrateError: some unit has more than two values.
    """
    of_kind(sub, Substrate, "build one from a TPM with Substrate(tpm)")
    if set(sub.alphabet) != {2}:
        raise SubstrateError(
            f"macro units need binary micro units; {sub!r} has units of more values, and mappings of ON and OFF would "
            "read them wrongly: give a substrate of binary units"
        )


def _resolve(sub: Substrate, macro_units: Sequence[MacroUnit]) -> list[_Resolved]:
    """Find the units in the substrate and check that together they make a system."""
    check_binary(sub)
    units = []
    for u in items(macro_units, "macro units"):
        of_kind(u, MacroUnit, "MacroUnit.all_on(units) makes one")
        inside = tuple(sub.indices([c])[0] for c in u.constituents)
        through = tuple(sub.indices([c])[0] for c in u.background_apportionment)
        units.append(_Resolved(inside, through, np.array(u.mapping), u.update_grain))
    faults = []
    if not units:
        faults.append("no macro units: pass at least one")
    grains = sorted({u.grain for u in units})
    if len(grains) > 1:
        faults.append(
            f"update grains {grains} differ: the system would have no common present; give all units one update grain"
        )
    taken = [i for u in units for i in u.inside]
    lent = [i for u in units for i in u.through]
    for shared, what in (
        ([i for i in set(taken) if taken.count(i) > 1], "constituent of two units"),
        ([i for i in set(lent) if lent.count(i) > 1], "apportioned to two units"),
        (set(taken) & set(lent), "both a constituent and background"),
    ):
        if shared:
            names = ", ".join(sub.units[i] for i in sorted(shared))
            faults.append(f"{names} {what}: causes would be counted twice; make units disjoint")
    if faults:
        raise SubstrateError(f"macro units do not make a system: {'; '.join(faults)}")
    return units


def window_states(sub: Substrate, history: History) -> Ints:
    """(updates, n) micro states of a history in any of its forms, checked.

    Args:
        sub: substrate of binary units.
        history: micro states of the last updates, oldest first; or one micro state.

    Raises:
        SubstrateError: no state, or one that is not a state of the substrate.
    """
    given = items(history, "a history of micro states")
    one = isinstance(history, str) or (bool(given) and not isinstance(given[0], str) and not is_list(given[0]))
    states: list[Any] = [history] if one and given else given
    if not states:
        raise SubstrateError("history has 0 micro states: give those of the last updates, oldest first")
    return np.array([sub.check_state(s) for s in states], dtype=np.int64)


def _window(sub: Substrate, history: History, grain: int) -> Ints:
    states = window_states(sub, history)
    if len(states) < grain:
        raise SubstrateError(
            f"history has {len(states)} micro states; update grain {grain} needs the last {grain}, oldest first"
        )
    return states[-grain:]
