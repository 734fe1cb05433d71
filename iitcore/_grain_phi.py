"""phi_s of every system that a grouping of micro units can make, one mapping per group.

Groups share their chained updates, groupings their backgrounds, and all mappings of a grouping go
through one batched call per macro state.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from iitcore._arrays import Floats, Ints
from iitcore._bits import gather, others, state_codes
from iitcore.batch import phi_batch
from iitcore.formalism import Formalism
from iitcore.grain_results import Grouping
from iitcore.macro import background_weights, condition, on_probability, preimage_weights
from iitcore.macro_units import mapping_family
from iitcore.substrate import Substrate

Group = tuple[int, ...]
Groups = tuple[Group, ...]


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
    """

    def __init__(
        self, sub: Substrate, windows: Ints, shares: Floats, exhaustive: int, formalism: Formalism = "2023"
    ) -> None:
        self.formalism: Formalism = formalism
        self.sub, self.windows, self.shares = sub, windows, shares
        self.exhaustive = exhaustive
        self.updates = windows.shape[1]
        self._parts: dict[tuple[Group, int], _Part] = {}
        self._values: dict[tuple[Groups, int], Floats] = {}
        self._codes = state_codes(windows)

    def every(self, groups: Groups, grain: int) -> list[Ints]:
        """Positions of all mappings of each group in its `mapping_family`.

        Args:
            groups: micro units of each macro unit.
            grain: micro updates per macro update.
        """
        families = [mapping_family(len(g), grain, self.exhaustive) for g in groups]
        return [np.arange(len(f)) for f in families]

    def __call__(self, groups: Groups, grain: int) -> Floats:
        """phi_s of all combinations of mappings, first group's mapping slowest; kept."""
        key = (groups, grain)
        if key not in self._values:
            self._values[key] = self.compute(groups, grain, self.every(groups, grain))
        return self._values[key]

    def compute(self, groups: Groups, grain: int, picks: Sequence[Ints]) -> Floats:
        """phi_s of the combinations of some mappings of each group, not kept.

        Args:
            groups: micro units of each macro unit.
            grain: micro updates per macro update.
            picks: per group, positions of the mappings in its `mapping_family`.

        Returns:
            (combinations,) phi_s in ibits, first group's mapping slowest.
        """
        parts = [self._part(g, grain, pick) for g, pick in zip(groups, picks, strict=True)]
        m, order = len(groups), [i for g in groups for i in g]
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
        groups: Groups,
        grain: int,
        picks: Sequence[Ints],
        values: Floats | None,
        fault: str | None,
    ) -> Grouping:
        """phi_s of some combinations of mappings, and the verdict, as a result with names.

        Args:
            groups: micro units of each macro unit.
            grain: micro updates per macro update.
            picks: per group, positions of the mappings in its `mapping_family`.
            values: phi_s of the combinations in ibits, first group's mapping slowest; None where not computed.
            fault: why the groups are not all valid units; None when they are.
        """
        return Grouping(
            tuple(tuple(self.sub.units[i] for i in g) for g in groups),
            grain,
            tuple(tuple(int(p) for p in pick) for pick in picks),
            self.exhaustive,
            None if values is None else tuple(float(v) for v in values),
            fault,
        )

    def _part(self, group: Group, grain: int, picks: Ints) -> _Part:
        key = (group, grain)
        if key not in self._parts:
            tables = np.array(mapping_family(len(group), grain, self.exhaustive))
            sequence = np.zeros(len(self.windows), dtype=np.int64)
            for t in range(grain):
                part = gather(self._codes[:, self.updates - grain + t], group)
                sequence |= part << (t * len(group))
            self._parts[key] = _Part(
                on_probability(self.sub.tpm, group, tables, grain),
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
