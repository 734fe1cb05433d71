"""phi_s of every system that a grouping of micro units can make, one mapping per group.

A group is read as it is, or through meso units that it is put together from. Groups share their
chained updates, groupings their backgrounds, and all mappings of a grouping go through one batched
call per macro state.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import NamedTuple

import numpy as np

from iitcore._arrays import Floats, Ints
from iitcore._bits import gather, others, state_codes
from iitcore.batch import phi_batch
from iitcore.formalism import Formalism
from iitcore.grain_results import Grain, Grouping
from iitcore.macro import Lent, background_weights, condition, macro_system, on_probability, preimage_weights
from iitcore.macro_units import MacroUnit, few_mappings, mapping_family, meso_sequences
from iitcore.structure import unfold
from iitcore.substrate import Substrate, System

MOST_UNFOLDED = 6  # units of a candidate whose Φ is computed where it ties with one that it overlaps

Group = tuple[int, ...]
Groups = tuple[Group, ...]


class Body(NamedTuple):
    """What a unit is made of, whatever its mapping.

    Attributes:
        group: micro units, in the order in which mappings read them.
        mesos: meso units, by name, that take all of the group, one after the other; none where its mapping reads the
            micro units themselves.
        lent: background units apportioned to it.
    """

    group: Group
    mesos: tuple[MacroUnit, ...] = ()
    lent: Group = ()

    def read(self, grain: int) -> tuple[int, int]:
        """What its mapping reads over so many micro updates: constituents, and updates of these."""
        return (len(self.mesos), grain // self.mesos[0].update_grain) if self.mesos else (len(self.group), grain)


Bodies = tuple[Body, ...]


def bodies(groups: Sequence[Group]) -> Bodies:
    """Units whose mappings read micro units, with no background."""
    return tuple(Body(tuple(g)) for g in groups)


@dataclass(frozen=True, eq=False)
class _Part:
    """One group under some mappings: macro ON-probability, pre-images, state in each window."""

    on: Floats  # (mappings, 2**n)
    weights: Floats  # (mappings, 2, 2**len(group))
    state: Ints  # (mappings, windows)


class GrainPhi:
    """phi_s of groupings in one substrate, averaged over windows of micro history.

    Args:
        sub: substrate of binary units.
        windows: (windows, updates, n) micro states, oldest first.
        shares: (windows,) weights that sum to 1.
        exhaustive: group size up to which all mappings are tried at grain 1.
        formalism: version of the theory.
        rich: whether longer windows get more mappings than thresholds and single outputs.
    """

    def __init__(
        self,
        sub: Substrate,
        windows: Ints,
        shares: Floats,
        exhaustive: int,
        formalism: Formalism = "2023",
        rich: bool = True,
    ) -> None:
        self.formalism: Formalism = formalism
        self.sub, self.windows, self.shares = sub, windows, shares
        self.exhaustive, self.rich = exhaustive, rich
        self.updates = windows.shape[1]
        self._parts: dict[tuple[Body, int, tuple[Lent, ...]], _Part] = {}
        self._values: dict[tuple[Bodies, int], Floats] = {}
        self._big: dict[bytes, float] = {}
        self._codes = state_codes(windows)

    def every(self, system: Bodies, grain: int) -> list[Ints]:
        """Positions of the mappings tried of each unit in its `mapping_family`.

        Args:
            system: what each macro unit is made of.
            grain: micro updates per macro update.
        """
        read = [body.read(grain) for body in system]
        return [
            np.arange(len(mapping_family(*r, self.exhaustive)) if self.rich or r[1] == 1 else few_mappings(*r))
            for r in read
        ]

    def __call__(self, system: Bodies, grain: int) -> Floats:
        """phi_s of all combinations of mappings, first unit's mapping slowest; kept."""
        key = (system, grain)
        if key not in self._values:
            self._values[key] = self.compute(system, grain, self.every(system, grain))
        return self._values[key]

    def compute(self, system: Bodies, grain: int, picks: Sequence[Ints]) -> Floats:
        """phi_s of the combinations of some mappings of each unit, not kept.

        Args:
            system: what each macro unit is made of.
            grain: micro updates per macro update.
            picks: per unit, positions of the mappings in its `mapping_family`.

        Returns:
            (combinations,) phi_s in ibits, first unit's mapping slowest.
        """
        lent = tuple((body.group, body.lent) for body in system if body.lent)
        parts = [self._part(body, grain, pick, lent) for body, pick in zip(system, picks, strict=True)]
        m, order = len(system), [i for body in system for i in body.group]
        states = np.zeros((1, self.windows.shape[0]), dtype=np.int64)
        for j, part in enumerate(parts):
            states = (states[:, None] | (part.state << j)[None]).reshape(-1, states.shape[1])
        total = np.zeros(len(states))
        for now, before, chosen in self._backgrounds(order, grain):
            effect = _compress(parts, order, now)
            cause = _compress(parts, order, before) if before is not now else effect
            for code in np.unique(states[:, chosen]):
                here = states[:, chosen] == code
                rows = np.flatnonzero(here.any(axis=1))
                state = [(int(code) >> j) & 1 for j in range(m)]
                own = None if cause is effect else cause[rows]
                phi = phi_batch(effect[rows], [state], cause_tpms=own, formalism=self.formalism)[:, 0]
                total[rows] += phi * (here[rows] @ self.shares[chosen])
        return total

    def grouping(
        self,
        system: Bodies,
        grain: int,
        picks: Sequence[Ints],
        values: Floats | None,
        fault: str | None,
    ) -> Grouping:
        """phi_s of some combinations of mappings, and the verdict, as a result with names.

        Args:
            system: what each macro unit is made of.
            grain: micro updates per macro update.
            picks: per unit, positions of the mappings in its `mapping_family`.
            values: phi_s of the combinations in ibits, first unit's mapping slowest; None where not computed.
            fault: why these are not all valid units; None when they are.
        """
        return Grouping(
            tuple(self.names(body.group) for body in system),
            grain,
            tuple(tuple(int(p) for p in pick) for pick in picks),
            self.exhaustive,
            None if values is None else tuple(float(v) for v in values),
            fault,
            tuple(body.mesos for body in system) if any(body.mesos for body in system) else (),
            tuple(self.names(body.lent) for body in system) if any(body.lent for body in system) else (),
        )

    def log2_big_phi(self, grain: Grain) -> float:
        """Log2 of a candidate's Φ, averaged over windows; NaN for one of too many units.

        Args:
            grain: the candidate.
        """
        if len(grain.units) > MOST_UNFOLDED:
            return float("nan")
        systems = (macro_system(self.sub, grain.units, window) for window in self.windows)
        return float(np.log2(self.shares @ np.array([self._big_phi(system) for system in systems])))

    def _big_phi(self, system: System) -> float:
        """Φ; of systems that differ in the order of their units it is computed once."""
        key = _in_any_order(system)
        if key not in self._big:
            self._big[key] = unfold(system, formalism=self.formalism).phi
        return self._big[key]

    def names(self, group: Group) -> tuple[str, ...]:
        """Names of micro units."""
        return tuple(self.sub.units[i] for i in group)

    def _part(self, body: Body, grain: int, picks: Ints, lent: tuple[Lent, ...]) -> _Part:
        key = (body, grain, lent)
        if key not in self._parts:
            group = body.group
            read = body.read(grain)
            tables = np.array(mapping_family(*read, self.exhaustive))
            if body.mesos:
                tables = tables[:, meso_sequences(body.mesos, read[1])]
            sequence = np.zeros(len(self.windows), dtype=np.int64)
            for t in range(grain):
                part = gather(self._codes[:, self.updates - grain + t], group)
                sequence |= part << (t * len(group))
            self._parts[key] = _Part(
                on_probability(self.sub.tpm, group, tables, grain, lent),
                np.stack([preimage_weights(t, len(group)) for t in tables]),
                tables[:, sequence],
            )
        whole = self._parts[key]
        return _Part(whole.on[picks], whole.weights[picks], whole.state[picks])

    def _backgrounds(self, order: Sequence[int], grain: int) -> Iterator[tuple[_Background, _Background, Ints]]:
        """Windows that share the background's present and inferred past state.

        A window whose first state cannot be reached from anywhere has no cause: phi_s is 0, and it
        is left out.
        """
        units = others(self.sub.n, order)
        found: dict[tuple[int, ...], tuple[Floats, Floats, list[int]]] = {}
        for w, window in enumerate(self.windows[:, self.updates - grain :]):
            key = (int(self._codes[w, self.updates - grain]), int(self._codes[w, -1]))
            if key in found:
                found[key][2].append(w)
                continue
            now, before = background_weights(self.sub, window, units)
            if before is not None and not units:  # nothing to condition on: all windows are one
                found.setdefault((), (now, now, []))[2].append(w)
            elif before is not None:
                found[key] = (now, before, [w])
        for now, before, chosen in found.values():
            held = _Background(units, now)
            past = held if before is now else _Background(units, before)
            yield held, past, np.array(chosen)


def _in_any_order(system: System) -> bytes:
    """What a system of binary units is, but for the order of its units."""
    tpms = np.round(np.stack([system.cause_tpm, system.effect_tpm]), 12) + 0.0
    bits = np.arange(system.n_states)[:, None] >> np.arange(system.n) & 1
    found = []
    for order in permutations(range(system.n)):
        rows = np.argsort(bits[:, order] @ (1 << np.arange(system.n)))
        found.append(tpms[:, rows][..., order].tobytes() + bytes(system.state[i] for i in order))
    return min(found)


@dataclass(frozen=True, eq=False)
class _Background:
    """A distribution over the states of the units outside a system."""

    units: tuple[int, ...]
    weights: Floats


def _compress(parts: Sequence[_Part], order: Sequence[int], background: _Background) -> Floats:
    """(combinations, 2**m, m) macro TPMs of every combination of the parts' mappings."""
    m = len(parts)
    sizes = [len(p.on) for p in parts]
    out = np.empty((*sizes, 2**m, m))
    for j, part in enumerate(parts):
        grid = condition(part.on, order, background.units, background.weights)
        # Axes: mapping of j, micro states of the groups yet to come (last first), results so far.
        grid = grid.reshape(sizes[j], *(p.weights.shape[2] for p in reversed(parts)))
        for k in reversed(range(m)):
            w = parts[k].weights
            if k == j:
                flat = np.matmul(w, grid.reshape(len(w), w.shape[2], -1))
                grid = np.moveaxis(flat.reshape(len(w), 2, *grid.shape[2:]), 1, -1)
            else:
                grid = np.tensordot(grid, w, axes=(1, 2))
        out[..., j] = grid.transpose(_axes(m, j)).reshape(*sizes, 2**m)
    return out.reshape(-1, 2**m, m)


def _axes(m: int, j: int) -> list[int]:
    """Where `_compress` left the mapping axes (0..m-1) and then the state axes (m-1..0)."""
    mapping, state = {j: 0}, {}
    axis = 1
    for k in reversed(range(m)):
        if k != j:
            mapping[k] = axis
            axis += 1
        state[k] = axis
        axis += 1
    return [mapping[k] for k in range(m)] + [state[k] for k in reversed(range(m))]
