"""Symmetries of one side of a system: tied states that they exchange have the same minimum partition, but for names.

A side asks, for every unit, how probable its required value is for each state of the inputs. Exchanging two units, or
flipping the values of one or two inputs, may leave all of that as it is. Only such simple symmetries are looked for;
each is checked on the whole table, so that what is found is exact, and what is not found costs time only.
"""

from __future__ import annotations

import numpy as np

from iitcore._arrays import Floats, Ints
from iitcore._jit import compiled
from iitcore.substrate import System

_SAME = 1e-13  # relative; probabilities that differ by rounding only


@compiled
def _moved(index: int, i: int, j: int, flip: int) -> int:
    """A state of binary units after exchanging units i and j (i == j: none) and then flipping some."""
    if (index >> i ^ index >> j) & 1:
        index ^= 1 << i | 1 << j
    return index ^ flip


@compiled
def _holds(table: Floats, i: int, j: int, flip: int) -> bool:
    """Whether the table is its own image.

    Args:
        table: (2**n, n) probability of each unit's required value given each state of the inputs.
        i: a unit.
        j: the unit it is exchanged with; itself for none.
        flip: mask of the inputs that are flipped afterwards.
    """
    n = table.shape[1]
    for x in range(len(table)):
        y = _moved(x, i, j, flip)
        for u in range(n):
            v = j if u == i else i if u == j else u
            if abs(table[x, u] - table[y, v]) > _SAME * table[x, u]:
                return False
    return True


@compiled
def _merge(leader: Ints, ties: Ints, position: Ints, i: int, j: int, flip: int) -> None:
    """Put every tied state into one class with its image."""
    for t in range(len(ties)):
        other = position[_moved(ties[t], i, j, flip)]
        if other < 0:
            continue
        a, b = t, other
        while leader[a] != a:
            a = leader[a]
        while leader[b] != b:
            b = leader[b]
        if a != b:
            leader[max(a, b)] = min(a, b)


@compiled
def classes_of_causes(packed: Floats, offsets: Ints, state: Ints, ties: Ints) -> Ints:
    """Number of the class of each tied cause state of a system of binary units.

    Args:
        packed: cause TPM.
        offsets: (n + 1,) column at which each unit's values start.
        state: (n,) present state.
        ties: indices of the tied cause states.
    """
    n = len(state)
    table = np.empty((len(packed), n))
    for x in range(len(packed)):
        for u in range(n):
            table[x, u] = packed[x, offsets[u] + state[u]]
    leader = np.arange(len(ties))
    position = np.full(len(packed), -1, np.int64)
    for t in range(len(ties)):
        position[ties[t]] = t
    for i in range(n):
        if _holds(table, i, i, 1 << i):
            _merge(leader, ties, position, i, i, 1 << i)
        for j in range(i):
            both = 1 << i | 1 << j
            if _holds(table, i, i, both):
                _merge(leader, ties, position, i, i, both)
            for flip in (0, both):
                if _holds(table, i, j, flip):
                    _merge(leader, ties, position, i, j, flip)
    return _numbered(leader)


@compiled
def classes_of_effects(packed: Floats, state: Ints, ties: Ints) -> Ints:
    """Number of the class of each tied effect state of a system of binary units, as in `classes_of_causes`.

    Units may be exchanged that are in the same state at present, or, with their values flipped, in different ones.

    Args:
        packed: effect TPM.
        state: (n,) present state.
        ties: indices of the tied effect states.
    """
    n = len(state)
    leader = np.arange(len(ties))
    position = np.full(len(packed), -1, np.int64)
    for t in range(len(ties)):
        position[ties[t]] = t
    for i in range(n):
        for j in range(i):
            if state[i] == state[j]:
                if _exchanged(packed, i, j, False):
                    _merge(leader, ties, position, i, j, 0)
            elif _exchanged(packed, i, j, True):
                _merge(leader, ties, position, i, j, 1 << i | 1 << j)
    return _numbered(leader)


@compiled
def _exchanged(packed: Floats, i: int, j: int, flipped: bool) -> bool:
    """Whether exchanging two units, and then perhaps calling their ON OFF, leaves a TPM of binary units as it is."""
    flip = 1 << i | 1 << j if flipped else 0
    for x in range(len(packed)):
        y = _moved(x, i, j, flip)
        for u in range(packed.shape[1] // 2):
            v = j if u == i else i if u == j else u
            for value in range(2):
                other = 1 - value if flipped and v != u else value
                if abs(packed[x, 2 * u + value] - packed[y, 2 * v + other]) > _SAME * packed[x, 2 * u + value]:
                    return False
    return True


@compiled
def _numbered(leader: Ints) -> Ints:
    """Number of each state's class, in the order of their first members."""
    number = np.empty(len(leader), np.int64)
    count = 0
    for t in range(len(leader)):
        if leader[t] == t:
            number[t] = count
            count += 1
        else:
            number[t] = number[leader[t]]  # a leader comes before those it leads
    return number


def units_alike(system: System) -> list[list[int]]:
    """Sets of two or more units in the same state that can be exchanged without changing either TPM of a system.

    Args:
        system: a candidate system; none are looked for among units of more than two values.
    """
    sets: list[list[int]] = []
    for i in range(system.n if system.binary else 0):
        for units in sets:
            j = units[0]
            same = system.state[i] == system.state[j]
            if same and _exchanged(system.cause, i, j, False) and _exchanged(system.effect, i, j, False):
                units.append(i)
                break
        else:
            sets.append([i])
    return [units for units in sets if len(units) > 1]
