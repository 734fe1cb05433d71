"""Integration: the integrated information phi_s of a system (Eqs. 14-23)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Literal

import numpy as np

from iitcore import _kernels, search
from iitcore._arrays import Bools, Floats, Ints
from iitcore._jit import compiled
from iitcore._kernels import TOLERANCE
from iitcore._numbers import of_kind
from iitcore._plain import Plain
from iitcore.information import (
    SpecifiedState,
    cause_information,
    effect_information,
    specified_state,
)
from iitcore.partitions import SystemPartition
from iitcore.substrate import System

State = tuple[int, ...]


class Reason(StrEnum):
    """Why phi_s is zero."""

    UNREACHABLE = "no cause: no state of the universe leads to the present one"
    NO_CAUSE = "no cause: no past state makes the present one more likely than chance"
    NO_EFFECT = "no effect: no next state is more likely than chance"
    NOT_STRONGLY_CONNECTED = "not strongly connected: some units never affect some others"
    REDUCIBLE = "reducible: a partition makes no difference to the cause or to the effect"


@dataclass(frozen=True)
class Side(Plain):
    """One side, cause or effect, of a system's integrated information.

    Attributes:
        phi: ibits lost on this side under the system's minimum partition.
        state, intrinsic_information, selectivity, tied_states: see `SpecifiedState`.
    """

    phi: float
    state: State
    intrinsic_information: float
    selectivity: float
    tied_states: tuple[State, ...]


@dataclass(frozen=True)
class SystemPhi(Plain):
    """Result of `system_phi`.

    Attributes:
        phi: phi_s, ibits; not normalised.
        normalized_phi: phi_s per connection cut, by which the minimum partition was chosen.
        cause, effect: both sides at the minimum partition.
        partition: the minimum partition; None where no search was needed (see `reasons`).
        reasons: why phi is zero; empty when it is not.
        winning_pairs: the tied (cause state, effect state) pairs that attain `phi`; kept only where
            phi > 0, see `tied_pairs`.
        labels, state: the system's units and their present values.
    """

    phi: float
    normalized_phi: float
    cause: Side
    effect: Side
    partition: SystemPartition | None
    reasons: tuple[Reason, ...]
    winning_pairs: tuple[tuple[State, State], ...]
    labels: tuple[str, ...]
    state: State

    @property
    def reason(self) -> Reason | None:
        """The first reason why phi is zero, or None."""
        return self.reasons[0] if self.reasons else None

    @property
    def tied_pairs(self) -> Iterator[tuple[State, State]]:
        """Every (cause state, effect state) that ties in information and then in phi_s."""
        if self.phi > 0:
            return iter(self.winning_pairs)
        return product(self.cause.tied_states, self.effect.tied_states)

    def __repr__(self) -> str:
        units = ", ".join(f"{u}={v}" for u, v in zip(self.labels, self.state, strict=True))
        if self.reasons:
            return f"SystemPhi({units}: phi_s=0; {self.reasons[0]})"
        return (
            f"SystemPhi({units}: phi_s={self.phi:.6g}, cause {self.cause.phi:.6g} "
            f"{self.cause.state}, effect {self.effect.phi:.6g} {self.effect.state}, "
            f"cut {self.partition})"
        )


@compiled
def analyse(
    cause: Floats,
    effect: Floats,
    offsets: Ints,
    state: Ints,
    reachable: bool,
    parts: Ints,
    marks: Ints,
) -> tuple[float, int, float, float, int, int, Floats]:
    """phi_s of one system.

    Args:
        cause: packed cause TPM.
        effect: packed effect TPM.
        offsets: (n + 1,) column at which each unit's values start.
        state: (n,) present state.
        reachable: whether that has a predecessor.
        parts: (n,) receives the minimum partition, see `search`.
        marks: (n,) receives its marks.

    Returns:
        phi, norm (0 where nothing had to be searched), both sides' losses at the minimum partition, the
        chosen cause and effect states, and phi_s of every pair of tied states.
    """
    n = len(state)
    row = _kernels.row_of(state, offsets)
    info_c, select_c = _kernels.cause_information(cause, offsets, state)
    info_e, select_e = _kernels.effect_information(effect, offsets, row)
    ties_c, ties_e = _kernels.tied(info_c), _kernels.tied(info_e)
    best_c, best_e = ties_c[0], ties_e[0]
    phis = np.zeros((0, 0))
    if not reachable or info_c[best_c] <= TOLERANCE or info_e[best_e] <= TOLERANCE:
        return 0.0, 0, 0.0, 0.0, best_c, best_e, phis
    gain_c = np.empty((1 << n, n))
    gain_e = np.empty((1 << n, n))
    if len(ties_c) == 1 and len(ties_e) == 1:
        fill_cause(gain_c, cause, offsets, state, best_c, select_c[best_c])
        fill_effect(gain_e, effect, offsets, state, best_e, select_e[best_e])
        search.minimum_of_both(gain_c, gain_e, parts, marks)
    else:
        phis, c, e = _best_pair(cause, effect, offsets, state, ties_c, ties_e, select_c, select_e, parts, marks)
        best_c, best_e = ties_c[c], ties_e[e]
        fill_cause(gain_c, cause, offsets, state, best_c, select_c[best_c])
        fill_effect(gain_e, effect, offsets, state, best_e, select_e[best_e])
    loss_c, norm = search.evaluate(gain_c, parts, marks)
    loss_e, norm = search.evaluate(gain_e, parts, marks)
    loss_c, loss_e = max(loss_c, 0.0), max(loss_e, 0.0)
    phi = min(loss_c, loss_e)
    return phi if phi > TOLERANCE else 0.0, norm, loss_c, loss_e, best_c, best_e, phis


@compiled
def fill_cause(gain: Floats, cause: Floats, offsets: Ints, state: Ints, index: int, selectivity: float) -> None:
    """Gain table of the cause side: the current state given each input of past state `index`.

    Args:
        gain: (2**n, n) receives the table, in ibits.
        cause: packed cause TPM.
        offsets: (n + 1,) column at which each unit's values start.
        state: (n,) present state.
        index: of the cause state.
        selectivity: of the cause state.
    """
    held = _kernels.values_of(index, offsets)
    _kernels.fill_gain(cause, offsets, state, held, selectivity, gain)


@compiled
def fill_effect(gain: Floats, effect: Floats, offsets: Ints, state: Ints, index: int, selectivity: float) -> None:
    """Gain table of the effect side: the next state `index` given each input's current state.

    Arguments as `fill_cause`, `effect` being the packed effect TPM.
    """
    required = _kernels.values_of(index, offsets)
    _kernels.fill_gain(effect, offsets, required, state, selectivity, gain)


@compiled
def _minima(
    packed: Floats, offsets: Ints, state: Ints, ties: Ints, selectivity: Floats, is_cause: bool
) -> tuple[Floats, Ints, Ints, Ints]:
    """Minimum partition of one side for every tied state: losses, norms, parts, marks."""
    n, count = len(state), len(ties)
    losses, norms = np.empty(count), np.empty(count, np.int64)
    parts, marks = np.zeros((count, n), np.int64), np.zeros((count, n), np.int64)
    gain, previous = np.empty((1 << n, n)), np.empty((1 << n, n))
    for t in range(count):
        if is_cause:
            fill_cause(gain, packed, offsets, state, ties[t], selectivity[ties[t]])
        else:
            fill_effect(gain, packed, offsets, state, ties[t], selectivity[ties[t]])
        if t > 0 and np.array_equal(gain, previous):  # symmetric states: nothing new to find
            losses[t], norms[t] = losses[t - 1], norms[t - 1]
            for j in range(n):
                parts[t, j], marks[t, j] = parts[t - 1, j], marks[t - 1, j]
            continue
        losses[t], norms[t] = search.minimum(gain, parts[t], marks[t])
        previous[:] = gain
    return losses, norms, parts, marks


@compiled
def _best_pair(
    cause: Floats,
    effect: Floats,
    offsets: Ints,
    state: Ints,
    ties_c: Ints,
    ties_e: Ints,
    select_c: Floats,
    select_e: Floats,
    parts: Ints,
    marks: Ints,
) -> tuple[Floats, int, int]:
    """Try every pair of tied states; fill the partition of the first with the largest phi_s."""
    few = len(ties_c) <= len(ties_e)  # whether the cause side has fewer; it goes first
    ties_1, ties_2 = (ties_c, ties_e) if few else (ties_e, ties_c)
    select_1, select_2 = (select_c, select_e) if few else (select_e, select_c)
    packed_1, packed_2 = (cause, effect) if few else (effect, cause)
    found_1 = _minima(packed_1, offsets, state, ties_1, select_1, few)
    if found_1[0].max() <= TOLERANCE:
        ties_2 = ties_2[:1]  # all reducible already: the other side decides nothing
    found_2 = _minima(packed_2, offsets, state, ties_2, select_2, not few)
    loss_c, norm_c, parts_c, marks_c = found_1 if few else found_2
    loss_e, norm_e, parts_e, marks_e = found_2 if few else found_1
    phis = np.zeros((len(loss_c), len(loss_e)))
    best, best_c, best_e = -1.0, 0, 0
    for c in range(len(loss_c)):
        for e in range(len(loss_e)):
            gap = loss_c[c] / norm_c[c] - loss_e[e] / norm_e[e]
            by_cause = gap < -TOLERANCE or (gap <= TOLERANCE and loss_c[c] >= loss_e[e])
            if len(state) == 1:
                by_cause = loss_c[c] <= loss_e[e]
            phi = loss_c[c] if by_cause else loss_e[e]
            phis[c, e] = phi if phi > TOLERANCE else 0.0
            if phis[c, e] > best + TOLERANCE:
                best, best_c, best_e = phis[c, e], c, e
                parts[:] = parts_c[c] if by_cause else parts_e[e]
                marks[:] = marks_c[c] if by_cause else marks_e[e]
    return phis, best_c, best_e


def system_phi(system: System) -> SystemPhi:
    """Integrated information phi_s of a system, exactly (Eqs. 5-23).

    Among cause and effect states that tie in intrinsic information the pair with the largest phi_s
    is taken. States without predecessor, noise and reducible systems are answers: phi is 0 and
    `reasons` says why.

    Args:
        system: a candidate system (`estimate_cost` says what many units take).

    Returns:
        phi_s in ibits, both sides, the minimum partition.

    Example:
        >>> from iitcore import Substrate
        >>> swap = Substrate([[0, 0], [0, 1], [1, 0], [1, 1]])
        >>> system_phi(swap.system("10"))
        SystemPhi(A=1, B=0: phi_s=2, cause 2 (0, 1), effect 2 (0, 1), cut {A}<-> {B}<->)
    """
    of_kind(system, System, "substrate.system(state) makes one")
    parts, marks = np.zeros(system.n, np.int64), np.zeros(system.n, np.int64)
    phi, norm, loss_c, loss_e, index_c, index_e, phis = analyse(
        system.cause,
        system.effect,
        system.offsets,
        np.array(system.state),
        system.reachable,
        parts,
        marks,
    )
    cause = specified_state(system, *cause_information(system), int(index_c))
    effect = specified_state(system, *effect_information(system), int(index_e))
    pairs = np.argwhere(phis >= phis.max() - TOLERANCE) if phis.size else [(0, 0)]
    return SystemPhi(
        float(phi),
        float(phi / norm) if norm else 0.0,
        Side(float(loss_c), **vars(cause)),
        Side(float(loss_e), **vars(effect)),
        SystemPartition.from_arrays(parts, marks, system.labels) if norm else None,
        () if phi > 0 else _reasons(system, cause, effect),
        tuple((cause.tied_states[c], effect.tied_states[e]) for c, e in pairs) if phi > 0 else (),
        system.labels,
        system.state,
    )


def _reasons(system: System, cause: SpecifiedState, effect: SpecifiedState) -> tuple[Reason, ...]:
    reasons = []
    if not system.reachable:
        reasons.append(Reason.UNREACHABLE)
    elif cause.intrinsic_information <= TOLERANCE:
        reasons.append(Reason.NO_CAUSE)
    if effect.intrinsic_information <= TOLERANCE:
        reasons.append(Reason.NO_EFFECT)
    if not (strongly_connected(system, "cause") and strongly_connected(system, "effect")):
        reasons.append(Reason.NOT_STRONGLY_CONNECTED)
    return tuple(reasons) or (Reason.REDUCIBLE,)


def connections(system: System, side: Literal["cause", "effect"]) -> Bools:
    """(n, n); True where the state of the row's unit changes what the column's unit does.

    Args:
        system: a candidate system.
        side: which of its two TPMs.
    """
    n = system.n
    found = np.zeros((n, n), dtype=bool)
    factors = system.cause_factors if side == "cause" else system.effect_factors
    for j, factor in enumerate(factors):
        grid = factor.reshape(*reversed(system.alphabet), -1)
        for i in range(n):
            found[i, j] = np.ptp(grid, axis=n - 1 - i).max() > TOLERANCE
    return found


def strongly_connected(system: System, side: Literal["cause", "effect"]) -> bool:
    """Whether every unit reaches every other; a single unit has to reach itself.

    Args:
        system: a candidate system.
        side: which of its two TPMs.
    """
    reach = connections(system, side)
    for middle in range(system.n):
        reach |= reach[:, [middle]] & reach[[middle], :]
    return bool(reach.all()) if system.n > 1 else bool(reach[0, 0])
