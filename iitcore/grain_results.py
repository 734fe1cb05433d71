"""What a search over grains found: the winner, every candidate, and why units are valid or not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import nlargest
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from iitcore._layout import SubstrateError
from iitcore._numbers import limit
from iitcore._plain import Plain
from iitcore.macro_units import MacroUnit, mapping_family, meso_mapping

if TYPE_CHECKING:
    import pandas as pd

_TIE = 1e-10
_TIE_BIG = 1.5e-9  # of log2 of Φ
MOST_TIED = 64  # overlapping candidates that tie in phi_s, up to which they are told apart by Φ
_READ = ("groupings", "irreducibility", "exhaustive", "scope", "formalism")  # the rest follows from them
BigPhi = Callable[["Grain"], float]


@dataclass(frozen=True, repr=False)
class Irreducibility(Plain):
    """Whether a set of micro units is maximally irreducible within; true when it is.

    Attributes:
        units: names of the micro units.
        phi: phi_s of its constituents as a system: of the micro units, or of the meso units in `through`.
        rival: of all other systems of valid units inside, those that take all of the micro units in another way
            included, the one with the largest phi_s; empty when there is none, or when `phi` is zero and none was
            looked for.
        rival_phi: its phi_s.
        exhaustive: whether all systems inside were tried.
        formalism: version of the theory.
        through: the constituents, where they are not the micro units: valid units that take all of these and
            make up a system with more phi_s.
        apportioned: background that was apportioned to it, and so to the systems inside.
    """

    units: tuple[str, ...]
    phi: float
    rival: tuple[MacroUnit, ...] = ()
    rival_phi: float = 0.0
    exhaustive: bool = True
    formalism: str = "2023"
    through: tuple[MacroUnit, ...] = ()
    apportioned: tuple[str, ...] = ()

    _written = ("units", "phi", "rival", "rival_phi", "exhaustive", "holds", "formalism", "through", "apportioned")

    @property
    def holds(self) -> bool:
        """phi_s is positive and larger than that of every other system inside."""
        return self.phi > _TIE and self.phi > self.rival_phi + _TIE

    def __bool__(self) -> bool:
        return self.holds

    @property
    def reason(self) -> str:
        """The verdict in words."""
        name = "{" + ", ".join(self.units) + "}"
        if self.phi <= _TIE:
            return f"{name} is not a unit: its micro units are reducible (phi_s = 0)"
        inside = f"phi_s {self.phi:.4g}, {self.rival_phi:.4g} inside it"
        if not self.holds:
            tie = " as much" if self.rival_phi < self.phi + _TIE else ""
            return f"{name} is not a unit: {inside},{tie} by {_sentence(self.rival)}"
        if self.through:
            inside += f", as {_sentence(self.through)}"
        bound = "" if self.exhaustive else "; micro systems only were tried"
        return f"{name} is maximally irreducible within ({inside}{bound})"

    def __repr__(self) -> str:
        return f"Irreducibility({self.reason})"


@dataclass(frozen=True, repr=False)
class Grain(Plain):
    """One candidate: a system of units at some grain.

    Attributes:
        units: its macro units (micro units are macro units of one constituent).
        phi: phi_s; averaged where the search averaged over several windows.
        fault: why not all of its units are valid; None when they are.
        through: per unit the meso units that it is put together from, none where its mapping reads micro units;
            empty where all read micro units.
    """

    units: tuple[MacroUnit, ...]
    phi: float
    fault: str | None = None
    through: tuple[tuple[MacroUnit, ...], ...] = ()

    @property
    def valid(self) -> bool:
        """Whether every unit is a micro unit or maximally irreducible within."""
        return self.fault is None

    @property
    def update_grain(self) -> int:
        """Micro updates per update of the system."""
        return self.units[0].update_grain

    @property
    def is_micro(self) -> bool:
        """Whether all units are micro units at their own grain."""
        return self.update_grain == 1 and all(len(u.constituents) == 1 for u in self.units)

    def __repr__(self) -> str:
        return f"Grain(phi_s = {self.phi:.6g}; {_sentence(self.units, self.through)}; {self.fault or 'valid'})"


@dataclass(frozen=True, repr=False)
class Grouping(Plain):
    """All candidates that share constituents and an update grain, one per combination of mappings.

    Attributes:
        groups: names of the micro units of each group; what is in none is background.
        update_grain: micro updates per update.
        picks: per group, the mappings tried, as positions in `mapping_family`.
        exhaustive: the size up to which that family holds every mapping.
        phi: phi_s per combination, the first group's mapping slowest; None when not computed.
        fault: why not all groups are valid units; None when they are.
        through: per group, the meso units that mappings read; as in `Grain`.
        apportioned: per group, the names of the background units apportioned to it; empty where there are none.
    """

    groups: tuple[tuple[str, ...], ...]
    update_grain: int
    picks: tuple[tuple[int, ...], ...]
    exhaustive: int
    phi: tuple[float, ...] | None
    fault: str | None = None
    through: tuple[tuple[MacroUnit, ...], ...] = ()
    apportioned: tuple[tuple[str, ...], ...] = ()

    def __len__(self) -> int:
        return int(np.prod([len(p) for p in self.picks]))

    def grain(self, index: int) -> Grain:
        """The candidate at a position of `phi`.

        Args:
            index: position; the first group's mapping is slowest.

        Raises:
            SubstrateError: when phi_s was not computed.
        """
        if self.phi is None:
            raise SubstrateError(f"phi_s of {self!r} was not computed; search without valid_only")
        positions = np.unravel_index(index, [len(p) for p in self.picks])
        units = tuple(
            self._unit(i, pick[int(at)]) for i, (pick, at) in enumerate(zip(self.picks, positions, strict=True))
        )
        return Grain(units, self.phi[index], self.fault, self.through)

    def _unit(self, i: int, pick: int) -> MacroUnit:
        """The macro unit that a group is under one mapping of its family."""
        mesos = self.through[i] if self.through else ()
        if mesos:
            updates = self.update_grain // mesos[0].update_grain
            unit = MacroUnit.of_units(mesos, mapping_family(len(mesos), updates, self.exhaustive)[pick], updates)
        else:
            mapping = mapping_family(len(self.groups[i]), self.update_grain, self.exhaustive)[pick]
            unit = MacroUnit(self.groups[i], mapping, self.update_grain)
        return replace(unit, background_apportionment=self.apportioned[i]) if self.apportioned else unit

    @property
    def _words(self) -> str:
        """The groups, with their meso units and background."""
        words = []
        for i, group in enumerate(self.groups):
            mesos = self.through[i] if self.through else ()
            lent = self.apportioned[i] if self.apportioned else ()
            inside = " ".join(_word(tuple(map(str, m.constituents))) for m in mesos) if mesos else ",".join(group)
            words.append(f"({inside}{'; through ' + ','.join(lent) if lent else ''})")
        return " ".join(words)

    def best(self) -> Grain | None:
        """The candidate with the largest phi_s, the first of several; None when not computed."""
        return None if self.phi is None else self.grain(int(np.argmax(self.phi)))

    def __repr__(self) -> str:
        best = "phi_s not computed" if self.phi is None else f"phi_s up to {max(self.phi):.6g}"
        return (
            f"Grouping({self._words}, update grain {self.update_grain}, {len(self)} mappings: {best}; "
            f"{self.fault or 'valid'})"
        )


@dataclass(frozen=True, repr=False)
class GrainSearch(Plain):
    """Outcome of `search_grains`.

    Attributes:
        winner: the system of valid units with the largest phi_s; None when none is positive.
        tied: other valid candidates within 1e-10 of the winner.
        best: the largest phi_s whether or not its units are valid: what the coarse-graining gains
            before the theory's demands on units.
        micro: all micro units at update grain 1.
        micro_complex: the micro system with the largest phi_s among those tried.
        groupings: every candidate.
        irreducibility: the verdict on every set of micro units that was considered as a unit.
        exhaustive: whether everything that the search is meant to cover was tried.
        scope: what was searched, in words, and within which bounds.
        formalism: version of the theory.
        complexes: systems of valid units that exclude each other across all grains: the one with the largest phi_s,
            then the best of those that share no micro unit with it, and so on (Eqs. 24-26 over systems at every
            grain). Of overlapping ones that tie the one with the larger Φ is the complex.
        undecided: number of systems that tie in Φ too with one that they overlap, or whose Φ is not known (too many
            tie, or they have too many units): none of them is a complex, and the next best system is taken.
    """

    winner: Grain | None
    tied: tuple[Grain, ...]
    best: Grain
    micro: Grain
    micro_complex: Grain
    groupings: tuple[Grouping, ...]
    irreducibility: tuple[Irreducibility, ...]
    exhaustive: bool
    scope: str
    formalism: str = "2023"
    complexes: tuple[Grain, ...] = ()
    undecided: int = 0

    _written = (
        *("groupings", "irreducibility", "exhaustive", "scope", "winner", "best", "micro", "formalism"),
        *("complexes", "undecided"),
    )

    @classmethod
    def of(
        cls,
        groupings: tuple[Grouping, ...],
        irreducibility: tuple[Irreducibility, ...],
        exhaustive: bool,
        scope: str,
        formalism: str = "2023",
        big_phi: BigPhi | None = None,
    ) -> Self:
        """Compare all candidates; ties go to the one tried first.

        Args:
            groupings: every candidate, in the order tried.
            irreducibility: see the attributes.
            exhaustive: see the attributes.
            scope: see the attributes.
            formalism: see the attributes.
            big_phi: log2 of the Φ of a candidate, by which overlapping complexes that tie are told apart; NaN or
                no function: not known.
        """
        scored = [g for g in groupings if g.phi is not None]
        micro = [g for g in scored if g.update_grain == 1 and all(len(u) == 1 for u in g.groups)]
        whole = max(micro, key=lambda g: len(g.groups))
        leaders = _leaders([g for g in scored if g.fault is None])
        winner = leaders[0] if leaders and leaders[0].phi > _TIE else None
        complexes, undecided = _exclusion(groupings, big_phi)
        return cls(
            winner,
            tuple(leaders[1:]) if winner else (),
            _leaders(scored)[0],
            whole.grain(0),
            _leaders(micro)[0],
            groupings,
            irreducibility,
            exhaustive,
            scope,
            formalism,
            complexes,
            undecided,
        )

    @property
    def n_candidates(self) -> int:
        """Number of systems considered."""
        return sum(len(g) for g in self.groupings)

    @property
    def gain(self) -> float:
        """phi_s of the winner minus that of the whole micro system."""
        return (self.winner.phi if self.winner else 0.0) - self.micro.phi

    def top(self, count: int, valid_only: bool = False) -> list[Grain]:
        """The candidates with the largest phi_s, in decreasing order.

        Args:
            count: how many at most.
            valid_only: leave out systems with units that are not valid.

        Raises:
            SubstrateError: a count below 1.
        """
        most = limit(count, "count") or self.n_candidates
        scored = (
            (value, -g, -i)
            for g, grouping in enumerate(self.groupings)
            if grouping.phi is not None and not (valid_only and grouping.fault)
            for i, value in enumerate(grouping.phi)
        )
        return [self.groupings[-g].grain(-i) for _, g, i in nlargest(most, scored)]

    def table(self) -> pd.DataFrame:
        """One row per grouping and update grain: mappings tried, largest phi_s, its rule, verdict."""
        import pandas as pd

        rows = []
        for g in self.groupings:
            best = g.best()
            rows.append(
                {
                    "grouping": g._words,
                    "n_units": len(g.groups),
                    "update_grain": g.update_grain,
                    "n_mappings": len(g),
                    "phi_s": best.phi if best else float("nan"),
                    "mappings": "; ".join(u.rule for u in best.units) if best else "",
                    "valid": g.fault is None,
                    "verdict": g.fault or "valid",
                }
            )
        return pd.DataFrame(rows)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any] | str) -> Self:
        """Inverse of `to_dict`; also takes its JSON text. The candidates are compared anew."""
        return cls._made(data, cls._compared)

    @classmethod
    def _compared(cls, read: dict[str, Any]) -> Self:
        again = cls.of(**{name: read[name] for name in _READ if name in read})
        return replace(again, **{name: read[name] for name in ("complexes", "undecided") if name in read})

    def __repr__(self) -> str:
        lines = [
            f"GrainSearch: {self.n_candidates} candidates in {len(self.groupings)} groupings",
            f"  winner         {self.winner!r}",
            f"  micro          {self.micro!r}",
            f"  micro complex  {self.micro_complex!r}",
        ]
        if not self.best.valid:
            lines.append(f"  not valid      {self.best!r}")
        if self.tied:
            lines.append(f"  tied           {len(self.tied)} other candidates")
        if len(self.complexes) > 1:
            lines += [f"  complex        {c!r}" for c in self.complexes]
        if self.undecided:
            lines.append(f"  undecided      {self.undecided} candidates that tie and overlap: none is a complex")
        if self.formalism != "2023":
            lines.append(f"  formalism      {self.formalism}")
        return "\n".join([*lines, f"  scope          {self.scope}"])


def _leaders(groupings: Sequence[Grouping]) -> list[Grain]:
    """All candidates within a tie of the largest phi_s, in the order tried."""
    values = [np.array(g.phi) for g in groupings]
    if not values:
        return []
    top = max(float(v.max()) for v in values)
    if top <= _TIE:  # nothing is irreducible: a tie of everything
        return [groupings[0].grain(0)]
    return [g.grain(int(i)) for g, v in zip(groupings, values, strict=True) for i in np.flatnonzero(v > top - _TIE)]


def _exclusion(groupings: Sequence[Grouping], big_phi: BigPhi | None) -> tuple[tuple[Grain, ...], int]:
    """Complexes among the valid candidates; how many others tie and overlap, so that none of them is one."""
    open_ = [(g, np.array(g.phi), _micro_units(g)) for g in groupings if g.fault is None and g.phi is not None]
    found: list[Grain] = []
    undecided = 0
    while True:
        top = max((float(v.max()) for _, v, _ in open_), default=0.0)
        if top <= _TIE:
            return tuple(found), undecided
        best = [(k, int(i)) for k, (_, v, _) in enumerate(open_) for i in np.flatnonzero(v > top - _TIE)]
        grains = [open_[k][0].grain(i) for k, i in best]
        winners, clashing = _told_apart(grains, [open_[k][2] for k, _ in best], big_phi)
        found += [grains[w] for w in winners]
        undecided += len(clashing)
        for c in clashing:
            open_[best[c][0]][1][best[c][1]] = 0.0
        taken = {unit for w in winners for unit in open_[best[w][0]][2]}
        open_ = [candidate for candidate in open_ if not taken & candidate[2]]


def _told_apart(
    best: Sequence[Grain], areas: Sequence[frozenset[str]], big_phi: BigPhi | None
) -> tuple[list[int], list[int]]:
    """Of candidates that tie in phi_s, those that are complexes, and those that tie in Φ with what they overlap."""
    every = range(len(best))
    count = Counter(areas)
    overlap = {a: [b for b in count if a & b and (a != b or count[a] > 1)] for a in count}
    alone = [i for i in every if not overlap[areas[i]]]
    if alone:
        return alone, []
    if big_phi is None or len(best) > MOST_TIED:
        return [], list(every)
    big = [big_phi(grain) for grain in best]
    rivals = [[o for o in every if o != i and areas[o] in overlap[areas[i]]] for i in every]
    leading = {i for i in every if not any(big[o] > big[i] + _TIE_BIG for o in rivals[i])}
    clashing = {i for i in leading if np.isnan(big[i]) or any(o in leading for o in rivals[i])}
    return sorted(leading - clashing), sorted(clashing)


def _micro_units(grouping: Grouping) -> frozenset[str]:
    return frozenset(unit for group in grouping.groups for unit in group)


def _sentence(units: Sequence[MacroUnit], through: Sequence[tuple[MacroUnit, ...]] = ()) -> str:
    grain = units[0].update_grain if units else 1
    words = []
    for i, unit in enumerate(units):
        read = meso_mapping(unit, through[i]) if through and through[i] else unit
        lent = ",".join(map(str, unit.background_apportionment))
        words.append(f"{','.join(map(str, read.constituents))}: {read.rule}{f' through {lent}' if lent else ''}")
    return " | ".join(words) + (f" (update grain {grain})" if grain > 1 else "")


def _word(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"({','.join(names)})"
