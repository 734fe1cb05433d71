"""What a search over grains found: the winner, every candidate, and why units are valid or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from iitcore._layout import SubstrateError
from iitcore._plain import Plain
from iitcore.macro_units import MacroUnit, mapping_family

if TYPE_CHECKING:
    import pandas as pd

_TIE = 1e-10
_READ = ("groupings", "irreducibility", "exhaustive", "scope", "formalism")  # the rest follows from them


@dataclass(frozen=True, repr=False)
class Irreducibility(Plain):
    """Whether a set of micro units is maximally irreducible within; true when it is.

    Attributes:
        units: names of the micro units.
        phi: phi_s of its constituents as a system: of the micro units, or of the meso units in `through`.
        rival: the system of valid units that takes only some of the micro units, with the largest phi_s; empty when
            there is none, or when `phi` is zero and none was looked for.
        rival_phi: its phi_s.
        exhaustive: whether all systems inside were tried.
        formalism: version of the theory.
        through: the constituents, where they are not the micro units: valid units that take all of these and
            make up a system with more phi_s.
    """

    units: tuple[str, ...]
    phi: float
    rival: tuple[MacroUnit, ...] = ()
    rival_phi: float = 0.0
    exhaustive: bool = True
    formalism: str = "2023"
    through: tuple[MacroUnit, ...] = ()

    _written = ("units", "phi", "rival", "rival_phi", "exhaustive", "holds", "formalism", "through")

    @property
    def holds(self) -> bool:
        """phi_s is positive and larger than that of every system inside."""
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
            return f"{name} is not a unit: {inside}, by {_sentence(self.rival)}"
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
    """

    units: tuple[MacroUnit, ...]
    phi: float
    fault: str | None = None

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
        return f"Grain(phi_s = {self.phi:.6g}; {_sentence(self.units)}; {self.fault or 'valid'})"


@dataclass(frozen=True, repr=False)
class Grouping(Plain):
    """All candidates that share a grouping and an update grain, one per combination of mappings.

    Attributes:
        groups: names of the micro units of each group; what is in none is background.
        update_grain: micro updates per update.
        picks: per group, the mappings tried, as positions in `mapping_family`.
        exhaustive: the size up to which that family holds every mapping.
        phi: phi_s per combination, the first group's mapping slowest; None when not computed.
        fault: why not all groups are valid units; None when they are.
    """

    groups: tuple[tuple[str, ...], ...]
    update_grain: int
    picks: tuple[tuple[int, ...], ...]
    exhaustive: int
    phi: tuple[float, ...] | None
    fault: str | None = None

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
            MacroUnit(
                group,
                mapping_family(len(group), self.update_grain, self.exhaustive)[pick[int(at)]],
                self.update_grain,
            )
            for group, pick, at in zip(self.groups, self.picks, positions, strict=True)
        )
        return Grain(units, self.phi[index], self.fault)

    def best(self) -> Grain | None:
        """The candidate with the largest phi_s, the first of several; None when not computed."""
        return None if self.phi is None else self.grain(int(np.argmax(self.phi)))

    def __repr__(self) -> str:
        groups = " ".join("(" + ",".join(g) + ")" for g in self.groups)
        best = "phi_s not computed" if self.phi is None else f"phi_s up to {max(self.phi):.6g}"
        return (
            f"Grouping({groups}, update grain {self.update_grain}, {len(self)} mappings: {best}; "
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
        scope: what was searched, in words.
        formalism: version of the theory.
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

    _written = ("groupings", "irreducibility", "exhaustive", "scope", "winner", "best", "micro", "formalism")

    @classmethod
    def of(
        cls,
        groupings: tuple[Grouping, ...],
        irreducibility: tuple[Irreducibility, ...],
        exhaustive: bool,
        scope: str,
        formalism: str = "2023",
    ) -> Self:
        """Compare all candidates; ties go to the one tried first.

        Args:
            groupings: every candidate, in the order tried.
            irreducibility: see the attributes.
            exhaustive: see the attributes.
            scope: see the attributes.
            formalism: see the attributes.
        """
        scored = [g for g in groupings if g.phi is not None]
        micro = [g for g in scored if g.update_grain == 1 and all(len(u) == 1 for u in g.groups)]
        whole = max(micro, key=lambda g: len(g.groups))
        leaders = _leaders([g for g in scored if g.fault is None])
        winner = leaders[0] if leaders and leaders[0].phi > _TIE else None
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
        )

    @property
    def n_candidates(self) -> int:
        """Number of systems considered."""
        return sum(len(g) for g in self.groupings)

    @property
    def gain(self) -> float:
        """phi_s of the winner minus that of the whole micro system."""
        return (self.winner.phi if self.winner else 0.0) - self.micro.phi

    def complexes(self) -> list[Grain]:
        """All complexes across grains: the winner, then the best valid system that shares no micro unit with it, etc.

        Of candidates that tie the one tried first is taken. With the bounds of the search (`scope`) these are
        complexes among what was tried.
        """
        taken: set[str] = set()
        found: list[Grain] = []
        while True:
            open_ = [g for g in self.groupings if g.fault is None and g.phi is not None and not taken & _micro_units(g)]
            best = next(iter(_leaders(open_)), None)
            if best is None or best.phi <= _TIE:
                return found
            found.append(best)
            taken |= {str(c) for u in best.units for c in u.constituents}

    def top(self, count: int, valid_only: bool = False) -> list[Grain]:
        """The candidates with the largest phi_s, in decreasing order.

        Args:
            count: how many at most.
            valid_only: leave out systems with units that are not valid.
        """
        scored = (
            (value, -g, -i)
            for g, grouping in enumerate(self.groupings)
            if grouping.phi is not None and not (valid_only and grouping.fault)
            for i, value in enumerate(grouping.phi)
        )
        return [self.groupings[-g].grain(-i) for _, g, i in nlargest(count, scored)]

    def table(self) -> pd.DataFrame:
        """One row per grouping and update grain: mappings tried, largest phi_s, its rule, verdict."""
        import pandas as pd

        rows = []
        for g in self.groupings:
            best = g.best()
            rows.append(
                {
                    "grouping": " ".join("(" + ",".join(u) + ")" for u in g.groups),
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
        read = cls._read(data)
        return cls.of(**{name: read[name] for name in _READ if name in read})

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


def _micro_units(grouping: Grouping) -> set[str]:
    return {unit for group in grouping.groups for unit in group}


def _sentence(units: Sequence[MacroUnit]) -> str:
    grain = units[0].update_grain if units else 1
    text = " | ".join(f"{','.join(map(str, u.constituents))}: {u.rule}" for u in units)
    return text + (f" (update grain {grain})" if grain > 1 else "")
