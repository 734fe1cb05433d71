"""Integration: the integrated information phi_s of a system (Eqs. 14-23)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Literal

import numpy as np

from iitcore import _kernels, _symmetry, search
from iitcore._arrays import Bools, Floats, Ints
from iitcore._jit import compiled
from iitcore._kernels import TOLERANCE
from iitcore._numbers import of_kind
from iitcore._plain import Plain
from iitcore.formalism import PRESENT, SPECIFIED, UNCAPPED, Formalism, code_of
from iitcore.information import (
    SpecifiedState,
    cause_information,
    effect_information,
    specified_state,
)
from iitcore.partitions import SystemPartition
from iitcore.substrate import System

State = tuple[int, ...]
MANY_PAIRS = 1000  # tied pairs that are not listed where all of them attain phi_s


class Reason(StrEnum):
    """Why phi_s is zero."""

    UNREACHABLE = "no cause: no state of the universe leads to the present one"
    NO_CAUSE = "no cause: no past state makes the present one more likely than chance"
    NO_EFFECT = "no effect: no next state is more likely than chance"
    NOT_STRONGLY_CONNECTED = "not strongly connected: some units never affect some others"
    REDUCIBLE = "reducible: a partition makes no difference to the cause or to the effect"
    NO_ALTERNATIVES = "no alternatives: the system is irreducible, but its cause or effect leaves it no other state"


@dataclass(frozen=True)
class Side(Plain):
    """One side, cause or effect, of a system's integrated information.

    Attributes:
        phi: ibits lost on this side under the system's minimum partition.
        state, intrinsic_information, selectivity, tied_states: see `SpecifiedState`.
        differentiation: intrinsic differentiation, ibits (see `iitcore.formalism`); None in the formalism of 2023.
    """

    phi: float
    state: State
    intrinsic_information: float
    selectivity: float
    tied_states: tuple[State, ...]
    differentiation: float | None = None


@dataclass(frozen=True)
class SystemPhi(Plain):
    """Result of `system_phi`.

    Attributes:
        phi: phi_s, ibits; not normalised.
        normalized_phi: the smaller loss of both sides per connection cut, by which the minimum partition was
            chosen (in every formalism).
        cause, effect: both sides at the minimum partition.
        partition: the minimum partition; None where no search was needed (see `reasons`).
        reasons: why phi is zero; empty when it is not.
        winning_pairs: the tied (cause state, effect state) pairs that attain `phi`; kept only where
            phi > 0, and not where all of more than 1,000 pairs do; see `tied_pairs`.
        labels, state: the system's units and their present values.
        formalism: version of the theory that `phi` is of.
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
    formalism: str = "2023"

    @property
    def reason(self) -> Reason | None:
        """The first reason why phi is zero, or None."""
        return self.reasons[0] if self.reasons else None

    @property
    def tied_pairs(self) -> Iterator[tuple[State, State]]:
        """Every (cause state, effect state) that ties in information and then in phi_s."""
        if self.winning_pairs:
            return iter(self.winning_pairs)
        return product(self.cause.tied_states, self.effect.tied_states)

    def _repr_html_(self) -> str:
        from iitcore import display

        return display.of_system_phi(self)

    def __repr__(self) -> str:
        units = ", ".join(f"{u}={v}" for u, v in zip(self.labels, self.state, strict=True))
        version = "" if self.formalism == "2023" else f"{self.formalism}, "
        if self.reasons:
            return f"SystemPhi({version}{units}: phi_s=0; {self.reasons[0]})"
        return (
            f"SystemPhi({version}{units}: phi_s={self.phi:.6g}, cause {self.cause.phi:.6g} "
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
    formalism: int,
    parts: Ints,
    marks: Ints,
) -> tuple[float, int, float, float, int, int, Floats, Ints, Ints]:
    """phi_s of one system.

    Args:
        cause: packed cause TPM.
        effect: packed effect TPM.
        offsets: (n + 1,) column at which each unit's values start.
        state: (n,) present state.
        reachable: whether that has a predecessor.
        formalism: `formalism.code_of` it.
        parts: (n,) receives the minimum partition, see `search`.
        marks: (n,) receives its marks.

    Returns:
        phi, norm (0 where nothing had to be searched), both sides' losses at the minimum partition, the
        chosen cause and effect states, phi_s of every pair of classes of tied states, and the class of each
        tied cause and effect state (empty where nothing ties).
    """
    n = len(state)
    row = _kernels.row_of(state, offsets)
    info_c, select_c = _kernels.cause_information(cause, offsets, state)
    info_e, select_e = _kernels.effect_information(effect, offsets, row)
    ties_c, ties_e = _kernels.tied(info_c), _kernels.tied(info_e)
    best_c, best_e = ties_c[0], ties_e[0]
    phis = np.zeros((0, 0))
    class_c, class_e = ties_c[:0], ties_e[:0]
    if not reachable or info_c[best_c] <= TOLERANCE or info_e[best_e] <= TOLERANCE:
        return 0.0, 0, 0.0, 0.0, best_c, best_e, phis, class_c, class_e
    gain_c, gain_e = _kernels.room_for_gain(n), _kernels.room_for_gain(n)
    if len(ties_c) == 1 and len(ties_e) == 1:
        fill_cause(gain_c, cause, offsets, state, best_c, select_c[best_c])
        fill_effect(gain_e, effect, offsets, state, best_e, select_e[best_e])
        search.minimum_of_both(gain_c, gain_e, parts, marks)
    else:
        class_c, class_e = _classes(cause, effect, offsets, state, (ties_c, ties_e))
        heads = (_heads(ties_c, class_c), _heads(ties_e, class_e))
        select = (select_c[heads[0]], select_e[heads[1]])
        caps = (
            _caps(cause, offsets, state, formalism, info_c[heads[0]], select[0]),
            _caps(effect, offsets, state, formalism, info_e[heads[1]], select[1]),
        )
        phis, c, e = _best_pair(cause, effect, offsets, state, heads, select, caps, parts, marks)
        best_c, best_e = heads[0][c], heads[1][e]
        fill_cause(gain_c, cause, offsets, state, best_c, select_c[best_c])
        fill_effect(gain_e, effect, offsets, state, best_e, select_e[best_e])
    loss_c, norm = search.evaluate(gain_c, parts, marks)
    loss_e, norm = search.evaluate(gain_e, parts, marks)
    loss_c, loss_e = max(loss_c, 0.0), max(loss_e, 0.0)
    cap_c = cap(cause, offsets, state, formalism, info_c[best_c], select_c[best_c])
    cap_e = cap(effect, offsets, state, formalism, info_e[best_e], select_e[best_e])
    phi = min(min(loss_c, loss_e), min(cap_c, cap_e))
    return phi if phi > TOLERANCE else 0.0, norm, loss_c, loss_e, best_c, best_e, phis, class_c, class_e


@compiled
def cap(packed: Floats, offsets: Ints, state: Ints, formalism: int, information: float, selectivity: float) -> float:
    """What phi_s cannot exceed, whatever the partition, for one specified state of one side (see `formalism`).

    Args:
        packed: the side's TPM.
        offsets: (n + 1,) column at which each unit's values start.
        state: (n,) present state.
        formalism: `formalism.code_of` it.
        information: intrinsic information of the specified state, ibits.
        selectivity: its probability.
    """
    if formalism == UNCAPPED:
        return np.inf
    if formalism == PRESENT:
        return min(information, _kernels.surprise(packed, offsets, state))
    return min(information, max(-math.log2(selectivity), 0.0))


@compiled
def _caps(
    packed: Floats, offsets: Ints, state: Ints, formalism: int, information: Floats, selectivity: Floats
) -> Floats:
    """`cap` of each of some specified states."""
    caps = np.empty(len(information))
    for t in range(len(information)):
        caps[t] = cap(packed, offsets, state, formalism, information[t], selectivity[t])
    return caps


@compiled
def _classes(cause: Floats, effect: Floats, offsets: Ints, state: Ints, ties: tuple[Ints, Ints]) -> tuple[Ints, Ints]:
    """Number of the class of each tied cause and effect state: one class has one minimum partition, but for names."""
    classes = np.arange(len(ties[0])), np.arange(len(ties[1]))
    if offsets[-1] > 2 * len(state):
        return classes
    if len(ties[0]) > 1:
        classes = _symmetry.classes_of_causes(cause, offsets, state, ties[0]), classes[1]
    if len(ties[1]) > 1:
        classes = classes[0], _symmetry.classes_of_effects(effect, state, ties[1])
    return classes


@compiled
def _heads(ties: Ints, classes: Ints) -> Ints:
    """The first tied state of each class."""
    heads = np.empty(classes.max() + 1, np.int64)
    for t in range(len(ties) - 1, -1, -1):
        heads[classes[t]] = ties[t]
    return heads


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
    """Minimum partition of one side for some tied states: losses, norms, parts, marks."""
    n, count = len(state), len(ties)
    losses, norms = np.empty(count), np.empty(count, np.int64)
    parts, marks = np.zeros((count, n), np.int64), np.zeros((count, n), np.int64)
    gain, previous = _kernels.room_for_gain(n), _kernels.room_for_gain(n)
    for t in range(count):
        if is_cause:
            fill_cause(gain, packed, offsets, state, ties[t], selectivity[t])
        else:
            fill_effect(gain, packed, offsets, state, ties[t], selectivity[t])
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
    heads: tuple[Ints, Ints],
    select: tuple[Floats, Floats],
    caps: tuple[Floats, Floats],
    parts: Ints,
    marks: Ints,
) -> tuple[Floats, int, int]:
    """Try every pair of classes of tied states; fill the partition of the first with the largest phi_s.

    Where a cap makes phi_s equal the pair with the largest phi_s before it is taken.

    `heads`, `select` and `caps` hold, for the cause and for the effect side, one state of each class, its
    selectivity and its `cap`.
    """
    few = len(heads[0]) <= len(heads[1])  # whether the cause side has fewer; it goes first
    heads_1, heads_2 = (heads[0], heads[1]) if few else (heads[1], heads[0])
    select_1, select_2 = (select[0], select[1]) if few else (select[1], select[0])
    packed_1, packed_2 = (cause, effect) if few else (effect, cause)
    found_1 = _minima(packed_1, offsets, state, heads_1, select_1, few)
    if found_1[0].max() <= TOLERANCE:
        heads_2 = heads_2[:1]  # all reducible already: the other side decides nothing
    found_2 = _minima(packed_2, offsets, state, heads_2, select_2, not few)
    loss_c, norm_c, parts_c, marks_c = found_1 if few else found_2
    loss_e, norm_e, parts_e, marks_e = found_2 if few else found_1
    phis = np.zeros((len(loss_c), len(loss_e)))
    best, uncapped, best_c, best_e = -1.0, -1.0, 0, 0
    for c in range(len(loss_c)):
        for e in range(len(loss_e)):
            gap = loss_c[c] / norm_c[c] - loss_e[e] / norm_e[e]
            by_cause = gap < -TOLERANCE or (gap <= TOLERANCE and loss_c[c] >= loss_e[e])
            if len(state) == 1:
                by_cause = loss_c[c] <= loss_e[e]
            whole = loss_c[c] if by_cause else loss_e[e]
            phi = min(whole, min(caps[0][c], caps[1][e]))
            phis[c, e] = phi if phi > TOLERANCE else 0.0
            equal = phis[c, e] >= best - TOLERANCE and whole > uncapped + TOLERANCE
            if phis[c, e] > best + TOLERANCE or equal:
                best, uncapped, best_c, best_e = phis[c, e], whole, c, e
                parts[:] = parts_c[c] if by_cause else parts_e[e]
                marks[:] = marks_c[c] if by_cause else marks_e[e]
    return phis, best_c, best_e


def system_phi(system: System, formalism: Formalism = "2023") -> SystemPhi:
    """Integrated information phi_s of a system, exactly (Eqs. 5-23).

    Among cause and effect states that tie in intrinsic information the pair with the largest phi_s
    is taken. States without predecessor, noise and reducible systems are answers: phi is 0 and
    `reasons` says why.

    Args:
        system: a candidate system (`estimate_cost` says what many units take).
        formalism: version of the theory, see `iitcore.formalism`.

    Returns:
        phi_s in ibits, both sides, the minimum partition.

    Raises:
        SubstrateError: no system, or no such formalism.

    Example:
        >>> from iitcore import Substrate
        >>> swap = Substrate([[0, 0], [0, 1], [1, 0], [1, 1]])
        >>> system_phi(swap.system("10"))
        SystemPhi(A=1, B=0: phi_s=2, cause 2 (0, 1), effect 2 (0, 1), cut {A}<-> {B}<->)
        >>> system_phi(swap.system("10"), formalism="2026").reason.name
        'NO_ALTERNATIVES'
    """
    of_kind(system, System, "substrate.system(state) makes one")
    code, state = code_of(formalism), np.array(system.state)
    parts, marks = np.zeros(system.n, np.int64), np.zeros(system.n, np.int64)
    phi, norm, loss_c, loss_e, index_c, index_e, phis, class_c, class_e = analyse(
        system.cause, system.effect, system.offsets, state, system.reachable, code, parts, marks
    )
    cause = specified_state(system, *cause_information(system), int(index_c))
    effect = specified_state(system, *effect_information(system), int(index_e))
    side_c, side_e = (
        Side(float(loss), **vars(found), differentiation=_differentiation(packed, system, found, code))
        for loss, found, packed in ((loss_c, cause, system.cause), (loss_e, effect, system.effect))
    )
    return SystemPhi(
        float(phi),
        float(min(loss_c, loss_e) / norm) if norm and min(loss_c, loss_e) > TOLERANCE else 0.0,
        side_c,
        side_e,
        SystemPartition.from_arrays(parts, marks, system.labels) if norm else None,
        () if phi > 0 else _reasons(system, cause, effect, min(loss_c, loss_e) > TOLERANCE),
        _winning(phis, class_c, class_e, cause, effect) if phi > 0 else (),
        system.labels,
        system.state,
        formalism,
    )


def _differentiation(packed: Floats, system: System, found: SpecifiedState, code: int) -> float | None:
    """Intrinsic differentiation of one side, where its formalism has it."""
    if code == UNCAPPED:
        return None
    if code == SPECIFIED:
        return max(-math.log2(found.selectivity), 0.0) if found.selectivity > 0 else 0.0
    return float(_kernels.surprise(packed, system.offsets, np.array(system.state)))


def _winning(
    phis: Floats, class_c: Ints, class_e: Ints, cause: SpecifiedState, effect: SpecifiedState
) -> tuple[tuple[State, State], ...]:
    """Pairs of tied states that attain phi_s; none where very many tie and all of them do."""
    if not phis.size:
        return ((cause.state, effect.state),)
    best = phis >= phis.max() - TOLERANCE
    if best.all() and len(class_c) * len(class_e) > MANY_PAIRS:
        return ()
    pairs = ((c, e) for c, a in enumerate(class_c) for e, b in enumerate(class_e) if best[a, b])
    return tuple((cause.tied_states[c], effect.tied_states[e]) for c, e in pairs)


def _reasons(system: System, cause: SpecifiedState, effect: SpecifiedState, irreducible: bool) -> tuple[Reason, ...]:
    reasons = []
    if irreducible:
        return (Reason.NO_ALTERNATIVES,)
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
    return _kernels.connections(system.cause if side == "cause" else system.effect, system.offsets)


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
