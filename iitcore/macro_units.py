"""Macro units: sets of micro units read as one, over a window of updates, through a mapping.

Source: Albantakis et al. 2023, "Determining maximal unit grains"; Marshall, Findlay, Albantakis &
Tononi 2024, "Intrinsic Units".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, combinations

import numpy as np

from iitcore._arrays import Ints
from iitcore._layout import SubstrateError
from iitcore._numbers import in_order, items, keys, of_kind, whole, wholes
from iitcore._plain import Plain
from iitcore.substrate import UnitKey

_RICH = 3  # constituents beyond which, at update grain 1, more is tried than thresholds and single outputs
_COUNTED = 8  # states in a longer window up to which every function of the number that is ON is tried
_BOXED = 12  # states in a longer window up to which boxes of several outputs are tried
_MAX_WINDOW_BITS = 20  # constituents x update grain: a truth table of a million entries


@dataclass(frozen=True, repr=False)
class MacroUnit(Plain):
    """Micro units read as one unit over a window of updates.

    Args:
        constituents: names or indices of the micro units.
        mapping: truth table over the sequence of constituent states, 2**(constituents x update
            grain) zeros and ones. Within an update the first constituent varies fastest; older
            updates vary faster than newer ones.
        update_grain: number of micro updates in one macro update.
        background_apportionment: background units that this unit's mechanism runs through; they
            keep their inputs from the constituents and from each other between the updates of a
            window, so they matter at update grains above 1 only.

    Raises:
        SubstrateError: listing every fault.

    Example:
        >>> MacroUnit(("A", "B"), (0, 0, 0, 1)).rule
        'all ON'
    """

    constituents: tuple[UnitKey, ...]
    mapping: tuple[int, ...]
    update_grain: int = 1
    background_apportionment: tuple[UnitKey, ...] = ()

    def __post_init__(self) -> None:
        for name in ("constituents", "background_apportionment"):
            object.__setattr__(self, name, _keys(getattr(self, name)))
        object.__setattr__(self, "mapping", tuple(wholes(self.mapping, "mapping").tolist()))
        object.__setattr__(self, "update_grain", whole(self.update_grain, "update grain"))
        faults = self._faults()
        if faults:
            raise SubstrateError(f"macro unit {self._names()}: {'; '.join(faults)}")

    def _faults(self) -> list[str]:
        every = self.constituents + self.background_apportionment
        bits = len(self.constituents) * self.update_grain
        faults = []
        if not self.constituents:
            faults.append("no constituents; name at least one micro unit")
        if len(set(every)) < len(every):
            faults.append(
                "a micro unit is listed twice; constituents and apportioned background units must be distinct"
            )
        if self.update_grain < 1:
            faults.append(f"update grain {self.update_grain}; it counts micro updates, 1 or more")
        elif bits > _MAX_WINDOW_BITS:
            faults.append(
                f"{len(self.constituents)} constituents over {self.update_grain} updates need a "
                f"truth table of 2**{bits} entries; the limit is 2**{_MAX_WINDOW_BITS}"
            )
        elif self.constituents and len(self.mapping) != 2**bits:
            faults.append(
                f"mapping has {len(self.mapping)} entries; {2**bits} are needed, one per sequence "
                f"of {self.update_grain} states of {len(self.constituents)} constituents"
            )
        if not set(self.mapping) <= {0, 1}:
            faults.append("mapping has entries other than 0 and 1")
        elif len(set(self.mapping)) == 1:
            faults.append(
                f"mapping is always {self.mapping[0]}: a unit that never changes has no cause and "
                "no effect; map some states to 0 and some to 1"
            )
        return faults

    @classmethod
    def micro(cls, unit: UnitKey, update_grain: int = 1) -> MacroUnit:
        """One micro unit as it is; over a longer window, its state after the last update.

        Args:
            unit: name or index.
            update_grain: number of micro updates in one macro update.

        Example:
            >>> MacroUnit.micro("A", 2)
            MacroUnit(A: output A, 2 updates)
        """
        units = _keys(unit)
        if len(units) != 1:
            raise SubstrateError(f"{unit!r} is not one micro unit; black_box takes several")
        return cls.black_box(units, units, update_grain)

    @classmethod
    def at_least(cls, constituents: Iterable[UnitKey], count: int, update_grain: int = 1) -> MacroUnit:
        """ON when at least `count` of the constituents' states in the window are ON.

        Args:
            constituents: names or indices of the micro units.
            count: ON states needed, over all updates of the window.
            update_grain: number of micro updates in one macro update.

        Example:
            >>> MacroUnit.at_least(("A", "B", "C"), 2)
            MacroUnit(A, B, C: at least 2 ON)
        """
        units, update_grain = _keys(constituents), whole(update_grain, "update grain")
        table = _on_counts(len(units), update_grain) >= whole(count, "count of ON states")
        return cls(units, tuple(table.astype(int)), update_grain)

    @classmethod
    def all_on(cls, constituents: Iterable[UnitKey], update_grain: int = 1) -> MacroUnit:
        """AND: ON when every constituent is ON, at every update of the window.

        Args:
            constituents: names or indices of the micro units.
            update_grain: number of micro updates in one macro update.
        """
        units, update_grain = _keys(constituents), whole(update_grain, "update grain")
        return cls.at_least(units, len(units) * update_grain, update_grain)

    @classmethod
    def any_on(cls, constituents: Iterable[UnitKey], update_grain: int = 1) -> MacroUnit:
        """OR: ON when some constituent is ON at some update of the window.

        Args:
            constituents: names or indices of the micro units.
            update_grain: number of micro updates in one macro update.
        """
        return cls.at_least(constituents, 1, update_grain)

    @classmethod
    def majority(cls, constituents: Iterable[UnitKey], update_grain: int = 1) -> MacroUnit:
        """ON when more than half of the constituents' states in the window are ON; a tie is OFF.

        Args:
            constituents: names or indices of the micro units.
            update_grain: number of micro updates in one macro update.
        """
        units, update_grain = _keys(constituents), whole(update_grain, "update grain")
        return cls.at_least(units, len(units) * update_grain // 2 + 1, update_grain)

    @classmethod
    def black_box(
        cls,
        constituents: Iterable[UnitKey],
        outputs: Iterable[UnitKey] | UnitKey,
        update_grain: int = 1,
    ) -> MacroUnit:
        """ON when all output constituents are ON after the window's last update; the rest hide.

        Args:
            constituents: names or indices of the micro units.
            outputs: those whose state is seen.
            update_grain: number of micro updates in one macro update.

        Raises:
            SubstrateError: when an output is no constituent.

        Example:
            >>> MacroUnit.black_box(("A", "B"), "B")
            MacroUnit(A, B: output B)
        """
        units, out, update_grain = _keys(constituents), _keys(outputs), whole(update_grain, "update grain")
        missing = [str(o) for o in out if o not in units]
        if missing or not out:
            raise SubstrateError(
                f"black box of {', '.join(map(str, units))}: outputs {', '.join(missing) or '()'} "
                "must be some of its constituents, or nothing it does could be seen"
            )
        last = np.arange(2 ** len(units))
        on = np.all([(last >> units.index(o)) & 1 for o in out], axis=0).astype(int)
        older = min(len(units) * max(update_grain - 1, 0), _MAX_WINDOW_BITS)
        return cls(units, tuple(np.repeat(on, 2**older)), update_grain)

    @classmethod
    def of_units(cls, units: Sequence[MacroUnit], mapping: Iterable[int], updates: int = 1) -> MacroUnit:
        """A macro unit of macro units (meso units), read over some of their updates; by its micro units.

        Args:
            units: meso units with one update grain, that share no micro unit.
            mapping: truth table over the sequence of their states, 2**(units x updates) zeros and ones, in the order
                of `mapping` above.
            updates: number of the meso units' updates in one update of this unit.

        Returns:
            The same unit in terms of micro units: their truth table, the product of the update grains, and all
            background that is apportioned to the meso units.

        Raises:
            SubstrateError: no units, units of several grains, or what no macro unit can be.

        Example:
            >>> pairs = MacroUnit.all_on(("A", "B")), MacroUnit.all_on(("C", "D"))
            >>> MacroUnit.of_units(pairs, (0, 1, 1, 1))
            MacroUnit(A, B, C, D: table 0001000100011111)
        """
        table, updates = wholes(mapping, "mapping"), whole(updates, "updates of the meso units")
        units = tuple(items(units, "meso units"))
        for u in units:
            of_kind(u, MacroUnit, "MacroUnit.all_on(units) makes one")
        grains = sorted({u.update_grain for u in units})
        inside = tuple(c for u in units for c in u.constituents)
        bits = len(inside) * updates * max(grains, default=1)
        if len(grains) != 1 or updates < 1 or len(table) != 2 ** (len(units) * updates) or bits > _MAX_WINDOW_BITS:
            raise SubstrateError(
                f"{len(units)} meso units of update grains {grains} over {updates} updates, with a mapping of "
                f"{len(table)} entries: give units of one grain, one entry per sequence of their states, and no more "
                f"than {_MAX_WINDOW_BITS} states of micro units in a window"
            )
        lent = tuple(b for u in units for b in u.background_apportionment)
        read = meso_sequences(units, updates)
        return cls(inside, tuple(table[read].tolist()), updates * grains[0], lent)

    @property
    def rule(self) -> str:
        """The mapping in words: numbers of ON states, outputs, or the truth table."""
        k, grain = len(self.constituents), self.update_grain
        table = np.array(self.mapping)
        last = np.arange(len(table)) >> (k * (grain - 1))
        for position, unit in enumerate(self.constituents):
            if np.array_equal(table, (last >> position) & 1):
                return f"output {unit}" if k > 1 or grain > 1 else "as is"
        counts = _on_counts(k, grain)
        for count in range(1, k * grain + 1):
            if np.array_equal(table, counts >= count):
                names = {1: "any ON", k * grain: "all ON"}
                return names.get(count, f"at least {count} ON")
        rest = self._outputs(last) or self._numbers(counts)
        if rest:
            return rest
        text = "".join(map(str, self.mapping))
        return f"table {text if len(text) <= 16 else text[:13] + '...'}"

    def _outputs(self, last: Ints) -> str:
        """The outputs of a black box that is ON when several of its constituents are; empty when it is none."""
        table = np.array(self.mapping)
        seen = last[table == 1]
        outputs = np.bitwise_and.reduce(seen)
        if not np.array_equal(table, last & outputs == outputs):
            return ""
        return "outputs " + " and ".join(str(u) for i, u in enumerate(self.constituents) if outputs >> i & 1)

    def _numbers(self, counts: Ints) -> str:
        """The numbers of ON states at which the unit is ON; empty when it is no function of the number."""
        table = np.array(self.mapping)
        found = [int(c) for c in np.unique(counts[table == 1])]
        return f"exactly {' or '.join(map(str, found))} ON" if np.array_equal(table, np.isin(counts, found)) else ""

    def _names(self) -> str:
        return "{" + ", ".join(map(str, self.constituents)) + "}"

    def __repr__(self) -> str:
        grain = f", {self.update_grain} updates" if self.update_grain > 1 else ""
        through = ", ".join(map(str, self.background_apportionment))
        return (
            f"MacroUnit({', '.join(map(str, self.constituents))}: {self.rule}{grain}"
            f"{'; through ' + through if through else ''})"
        )


@cache
def mapping_family(size: int, grain: int, exhaustive: int) -> tuple[tuple[int, ...], ...]:
    """Mappings tried for a group of `size` constituents, without those that only swap ON and OFF.

    At grain 1 and up to `exhaustive` constituents: every mapping. Beyond: at least k states ON in
    the window, for every k, and each constituent as the output of a black box (the first `few_mappings`);
    then every function of the number of states that are ON, and every set of outputs, all ON: at grain 1
    from 4 constituents on, over longer windows up to 8 and 12 states (constituents x updates).

    Args:
        size: number of constituents, micro or meso units.
        grain: updates of these per macro update.
        exhaustive: group size up to which every mapping is tried at grain 1.

    Returns:
        Truth tables.
    """
    if grain == 1 and size <= exhaustive:
        inputs = 2**size - 1  # all OFF maps to 0, or the mapping's complement would come again
        return tuple((0, *((code >> i) & 1 for i in range(inputs))) for code in range(1, 2**inputs))
    tables = list(_few_tables(size, grain))  # first: saved searches number mappings by their places
    window, units = size * grain, range(size)
    at_once = grain == 1 and size > _RICH
    if at_once or (grain > 1 and window <= _COUNTED):
        on = _on_counts(size, grain)
        tables += [tuple((code << 1 >> on & 1).tolist()) for code in range(1, 2**window)]
    if at_once or (grain > 1 and window <= _BOXED):
        boxes = chain.from_iterable(combinations(units, k) for k in range(2, size + (grain > 1)))
        tables += [MacroUnit.black_box(units, box, grain).mapping for box in boxes]
    return tuple(dict.fromkeys(tables))


def few_mappings(size: int, grain: int) -> int:
    """How many of a `mapping_family` are thresholds or have a single output; these come first.

    Args:
        size: number of constituents.
        grain: updates per macro update, above 1.
    """
    return len(_few_tables(size, grain))


@cache
def _few_tables(size: int, grain: int) -> tuple[tuple[int, ...], ...]:
    units = range(size)
    tables = [MacroUnit.at_least(units, k + 1, grain).mapping for k in range(size * grain)]
    return tuple(dict.fromkeys([*tables, *(MacroUnit.black_box(units, i, grain).mapping for i in units)]))


@cache
def meso_sequences(mesos: tuple[MacroUnit, ...], updates: int) -> Ints:
    """What a unit of meso units sees of a window of micro states.

    Args:
        mesos: units of one update grain.
        updates: how many of their updates.

    Returns:
        (2**(micro units x micro updates),) index of the sequence of the meso units' states, the first unit
        fastest and older updates faster, for each sequence of micro states.
    """
    grain, inside = mesos[0].update_grain, sum(len(u.constituents) for u in mesos)
    sequence = np.arange(2 ** (inside * updates * grain))
    index, place = np.zeros_like(sequence), 0
    for first in range(0, updates * grain, grain):
        start = 0
        for unit in mesos:
            own, size = np.zeros_like(sequence), len(unit.constituents)
            for t in range(grain):
                state = sequence >> ((first + t) * inside + start) & 2**size - 1
                own |= state << t * size
            index |= np.array(unit.mapping)[own] << place
            start, place = start + size, place + 1
    index.flags.writeable = False
    return index


def meso_mapping(unit: MacroUnit, mesos: tuple[MacroUnit, ...]) -> MacroUnit:
    """A macro unit of meso units in terms of these, each named by its constituents.

    Args:
        unit: what `MacroUnit.of_units` makes of the meso units.
        mesos: the meso units.
    """
    updates = unit.update_grain // mesos[0].update_grain
    read, first = np.unique(meso_sequences(mesos, updates), return_index=True)
    mapping = np.zeros(2 ** (len(mesos) * updates), dtype=np.int64)
    mapping[read] = np.array(unit.mapping)[first]
    names = (
        str(m.constituents[0]) if m.rule == "as is" else f"({','.join(map(str, m.constituents))}: {m.rule})"
        for m in mesos
    )
    return MacroUnit(tuple(names), tuple(mapping.tolist()), updates)


def _on_counts(constituents: int, grain: int) -> Ints:
    """Number of ON states in each sequence of a window; a window too long is refused elsewhere."""
    bits = min(constituents * max(grain, 1), _MAX_WINDOW_BITS)
    return np.array([s.bit_count() for s in range(2**bits)], dtype=np.int64)


def _keys(units: Iterable[UnitKey] | UnitKey) -> tuple[UnitKey, ...]:
    one = isinstance(units, str | int) or not isinstance(units, Iterable)
    return tuple(keys(units if one else in_order(units, "a mapping of constituents")))
