"""Composition: the causes and effects of mechanisms, and the distinctions they make (Eqs. 27-48).

Every subset of a system's units is a mechanism. On each side it picks out the purview, and the
state of that purview, over which it is maximally irreducible. A mechanism with both a cause and an
effect makes a distinction.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from iitcore import _repertoire_kernels as kernels
from iitcore._distinction_kernels import maximal
from iitcore._layout import SubstrateError
from iitcore._numbers import limit, of_kind
from iitcore._plain import Plain, parsed
from iitcore._threads import available_threads
from iitcore.substrate import System

if TYPE_CHECKING:
    import pandas as pd

Direction = Literal["cause", "effect"]
State = tuple[int, ...]
Names = tuple[str, ...]
Part = tuple[Names, Names]
_MOST_ENTRIES = 2**30  # of tables with two doubles each
_THREADED = 6  # systems of more units than this are worth several threads


@dataclass(frozen=True)
class Purview(Plain):
    """A maximally irreducible cause or effect of a mechanism.

    Attributes:
        direction: "cause" or "effect".
        units: names of its units.
        state: the value it specifies for each of them (Eqs. 34-37).
        phi: integrated information, ibits.
        normalized_phi: phi per connection cut, by which the minimum partition was chosen.
        intrinsic_information: of the mechanism over the purview in this state, ibits.
        partition: the minimum partition: (mechanism units, purview units) of each part.
    """

    direction: Direction
    units: Names
    state: State
    phi: float
    normalized_phi: float
    intrinsic_information: float
    partition: tuple[Part, ...]

    @property
    def elements(self) -> frozenset[tuple[str, int]]:
        """Its units, each with its specified value."""
        return frozenset(zip(self.units, self.state, strict=True))

    def agrees(self, values: Mapping[str, int]) -> bool:
        """Whether the specified state is that of the system's, on this purview (congruence).

        Args:
            values: the system's cause or effect state, by unit name.
        """
        return all(values[u] == v for u, v in zip(self.units, self.state, strict=True))

    def __repr__(self) -> str:
        cut = " ".join(f"{','.join(m) or '∅'}|{','.join(z) or '∅'}" for m, z in self.partition)
        return f"{self.direction} {_named(self.units, self.state)} (phi={self.phi:.6g}, cut {cut})"


@dataclass(frozen=True)
class Distinction(Plain):
    """A mechanism with its cause and its effect (Eqs. 47-48).

    Attributes:
        mechanism: names of its units.
        state: their present values.
        phi: the smaller of cause and effect phi, ibits.
        cause, effect: the purviews chosen.
        tied_causes, tied_effects: all purviews that could have been chosen instead, at equal phi
            and equal congruence (`cause` and `effect` among them).
    """

    mechanism: Names
    state: State
    phi: float
    cause: Purview
    effect: Purview
    tied_causes: tuple[Purview, ...]
    tied_effects: tuple[Purview, ...]

    @property
    def elements(self) -> frozenset[tuple[str, int]]:
        """Units with their specified values in cause or effect: what relations overlap on."""
        return self.cause.elements | self.effect.elements

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON; cause and effect are positions among those tied."""
        chosen = {"cause": self.tied_causes.index(self.cause), "effect": self.tied_effects.index(self.effect)}
        return super().to_dict() | chosen

    @classmethod
    def _read(cls, data: Mapping[str, Any] | str) -> dict[str, Any]:
        """The fields, cause and effect in place of their positions."""
        d = parsed(data)
        chosen = {"cause": d["tied_causes"][d["cause"]], "effect": d["tied_effects"][d["effect"]]}
        return super()._read({**d, **chosen})

    def __repr__(self) -> str:
        return f"Distinction({_named(self.mechanism, self.state)}: phi={self.phi:.6g}, {self.cause!r}, {self.effect!r})"


def _named(units: Names, state: State) -> str:
    return ",".join(f"{u}={v}" for u, v in zip(units, state, strict=True))


def distinctions(system: System, threads: int | None = None) -> tuple[Distinction, ...]:
    """All distinctions of a system before the congruence filter, by mechanism (Eqs. 27-48).

    Mechanisms come in the order of their masks (bit j is unit j of the system). Purviews that tie
    are listed in the order of their units' masks, and the first is taken; `unfold` chooses among
    them as the theory asks.

    Args:
        system: a candidate system.
        threads: for systems of more than six units; by default one per available core.

    Returns:
        Mechanisms with both a cause and an effect; none for a system in an unreachable state.

    Raises:
        SubstrateError: when the tables of so many units would not fit into memory.

    Example:
        >>> from iitcore import Substrate
        >>> swap = Substrate([[0, 0], [0, 1], [1, 0], [1, 1]])
        >>> for found in distinctions(swap.system("10")):
        ...     print(found)
        Distinction(A=1: phi=1, cause B=1 (phi=1, cut ∅|B A|∅), effect B=1 (phi=1, cut A|∅ ∅|B))
        Distinction(B=0: phi=1, cause A=0 (phi=1, cut ∅|A B|∅), effect A=0 (phi=1, cut B|∅ ∅|A))
    """
    of_kind(system, System, "substrate.system(state) makes one")
    threads = limit(threads, "threads")
    if not system.reachable:
        return ()
    tables = Tables(system)
    masks = range(1, 2**system.n)
    if system.n > _THREADED and threads != 1:
        with ThreadPoolExecutor(threads or available_threads()) as pool:
            found = list(pool.map(tables.distinction, masks))
    else:
        found = [tables.distinction(mask) for mask in masks]
    return tuple(d for d in found if d is not None)


@lru_cache(maxsize=16)
def geometry(alphabet: State) -> kernels.Geometry:
    """Index arithmetic shared by all systems of the same alphabet.

    Returns alphabet (n,), offsets (n + 1,) of each unit's columns, strides (n,) of extended
    indices, states (rows,): extended indices sorted by the set of units that are not averaged,
    start (2**n + 1,): where each set begins in `states`, and digits (rows, n).
    """
    k = np.array(alphabet, dtype=np.int64)
    n = len(k)
    strides = np.concatenate([[1], np.cumprod(k + 1)[:-1]]).astype(np.int64)
    digits = np.arange(int(np.prod(k + 1)))[:, None] // strides % (k + 1)
    mask = ((digits < k) << np.arange(n)).sum(axis=1)
    states = np.argsort(mask, kind="stable").astype(np.int64)
    start = np.concatenate([[0], np.cumsum(np.bincount(mask, minlength=2**n))]).astype(np.int64)
    offsets = np.concatenate([[0], np.cumsum(k)]).astype(np.int64)
    return k, offsets, strides, states, start, digits.astype(np.int16)


class Tables:
    """Extended marginals of a system, from which every mechanism and purview reads.

    Args:
        system: a reachable system.

    Raises:
        SubstrateError: when the tables would not fit into memory.
    """

    def __init__(self, system: System) -> None:
        entries = math.prod(k + 1 for k in system.alphabet) * (system.n + sum(system.alphabet))
        if entries > _MOST_ENTRIES:
            raise SubstrateError(
                f"the structure of {system.n} units needs tables of {16 * entries / 2**30:.0f} GiB "
                "and days of computing: unfold a complex of fewer units, or group units into "
                "macro units"
            )
        self.system = system
        self._named: dict[int, Names] = {}
        self.geometry = geometry(system.alphabet)
        self.now = kernels.present(np.array(system.state), self.geometry)
        self.cause, self.cause_logs, self.effect, self.effect_logs = kernels.tables(
            system.cause, system.effect, np.array(system.state), self.geometry
        )

    def distinction(self, mask: int) -> Distinction | None:
        """The distinction of one mechanism (a mask), or None."""
        effects = self.purviews(mask, "effect")
        causes = self.purviews(mask, "cause") if effects else ()
        if not causes:
            return None
        phi = min(max(p.phi for p in causes), max(p.phi for p in effects))
        units = self._names(mask)
        state = tuple(v for j, v in enumerate(self.system.state) if mask >> j & 1)
        return Distinction(units, state, phi, causes[0], effects[0], causes, effects)

    def purviews(self, mask: int, direction: Direction) -> tuple[Purview, ...]:
        """The purviews of a mechanism on one side whose phi is largest; none when it is zero.

        Args:
            mask: the mechanism.
            direction: the side.
        """
        cause = direction == "cause"
        table, logs = (self.cause, self.cause_logs) if cause else (self.effect, self.effect_logs)
        columns = maximal(mask, cause, table, logs, self.now, self.geometry)
        found = []
        for index, phi, norm, information, kept in zip(*(column.tolist() for column in columns), strict=True):
            digits = self.geometry[5][index].tolist()
            state = tuple(v for v, k in zip(digits, self.system.alphabet, strict=True) if v < k)
            units = sum(1 << j for j, k in enumerate(self.system.alphabet) if digits[j] < k)
            parts = self._parts(mask, units, kept, cause)
            found.append(Purview(direction, self._names(units), state, phi, phi / norm, information, parts))
        return tuple(found)

    def _names(self, mask: int) -> Names:
        if mask not in self._named:
            self._named[mask] = tuple(u for j, u in enumerate(self.system.labels) if mask >> j & 1)
        return self._named[mask]

    def _parts(self, mechanism: int, purview: int, kept: Sequence[int], cause: bool) -> tuple[Part, ...]:
        """Parts from the block that each row unit stays with; what stays with none comes last."""
        row_units, side_units = (mechanism, purview) if cause else (purview, mechanism)
        side = [1 << j for j in range(self.system.n) if side_units >> j & 1]
        rows = [1 << j for j in range(self.system.n) if row_units >> j & 1]
        members: dict[int, int] = {}
        for unit, block in zip(rows, kept, strict=False):
            members[block] = members.get(block, 0) | unit
        wide = {sum(j for b, j in enumerate(side) if block >> b & 1): unit for block, unit in members.items()}
        alone = wide.pop(0, 0)
        left = side_units & ~sum(wide)
        pairs = sorted(wide.items())
        pairs += [(left, 0)] * (left > 0) + [(0, alone)] * (alone > 0)
        return tuple((self._names(r), self._names(b)) if cause else (self._names(b), self._names(r)) for b, r in pairs)


def distinction_table(found: Sequence[Distinction]) -> pd.DataFrame:
    """One row per distinction: mechanism, phi, and cause and effect with their states (ibits)."""
    import pandas as pd

    columns: dict[str, list[Any]] = {
        "mechanism": [",".join(d.mechanism) for d in found],
        "mechanism_state": ["".join(map(str, d.state)) for d in found],
        "phi": [d.phi for d in found],
    }
    for side in ("cause", "effect"):
        purviews: list[Purview] = [getattr(d, side) for d in found]
        columns |= {
            side: [",".join(p.units) for p in purviews],
            f"{side}_state": ["".join(map(str, p.state)) for p in purviews],
            f"{side}_phi": [p.phi for p in purviews],
            f"{side}_normalized_phi": [p.normalized_phi for p in purviews],
            f"{side}_intrinsic_information": [p.intrinsic_information for p in purviews],
            f"tied_{side}s": [len(getattr(d, f"tied_{side}s")) for d in found],
        }
    return pd.DataFrame(columns)
