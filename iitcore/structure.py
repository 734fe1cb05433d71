"""The cause-effect structure of a system, its Φ, and Φ-folds (Eqs. 48, 57-59).

What ties is resolved, in this order, by phi, by congruence with the system's cause-effect state,
and by the choice that makes Φ largest (S1 Text); every result carries the range of Φ over the
choices that tie.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from iitcore._layout import SubstrateError, check_state
from iitcore._numbers import items, names
from iitcore._plain import Plain
from iitcore._resolution import resolve, sum_phi_d
from iitcore._symmetry import units_alike
from iitcore.distinctions import Distinction, State, distinction_table, distinctions
from iitcore.formalism import Formalism, code_of
from iitcore.relations import Relations, shown
from iitcore.substrate import System
from iitcore.system import system_phi

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


@dataclass(frozen=True, repr=False)
class PhiFold(Plain):
    """Part of a structure: some distinctions and every relation that binds at least one of them.

    Attributes:
        distinctions: the fold's distinctions.
        n_relations: number of relations, exactly.
        sum_phi_d, sum_phi_r: summed phi of distinctions and of relations, ibits.
    """

    distinctions: tuple[Distinction, ...]
    n_relations: int
    sum_phi_d: float
    sum_phi_r: float

    _written = ("phi", "sum_phi_d", "sum_phi_r", "n_relations", "distinctions")

    @property
    def phi(self) -> float:
        """Summed phi of the fold, ibits."""
        return self.sum_phi_d + self.sum_phi_r

    def __repr__(self) -> str:
        return (
            f"PhiFold(Φ={self.phi:.6g}, {len(self.distinctions)} distinctions "
            f"(sum {self.sum_phi_d:.6g}), {shown(self.n_relations)} relations "
            f"(sum {self.sum_phi_r:.6g}))"
        )


@dataclass(frozen=True, repr=False)
class PhiStructure(Plain):
    """Result of `unfold`: distinctions and relations of a system in a state.

    Attributes:
        labels, system_state: the system's units and their present values.
        cause_state, effect_state: the system's cause-effect state; None without a cause.
        distinctions: those congruent with it, by mechanism.
        incongruent: distinctions that it excludes.
        phi_range: smallest and largest Φ over the choices that tie, ibits.
        phi_range_exact: False when there were too many choices to try: `phi_range` then bounds Φ
            from below and above, and `phi` is the largest value found.
        n_tied_choices: combinations of tied purviews and system states; 1 when nothing ties.
        reason: why the structure is empty when there is no cause at all, else None.
        formalism: version of the theory by which tied cause-effect states were told apart.
    """

    labels: tuple[str, ...]
    system_state: State
    cause_state: State | None
    effect_state: State | None
    distinctions: tuple[Distinction, ...]
    incongruent: tuple[Distinction, ...]
    phi_range: tuple[float, float]
    phi_range_exact: bool = True
    n_tied_choices: int = 1
    reason: str | None = None
    formalism: str = "2023"

    _written = (
        *("labels", "system_state", "cause_state", "effect_state", "phi", "log2_phi", "sum_phi_d", "sum_phi_r"),
        *("n_distinctions", "n_relations", "phi_range", "phi_range_exact", "n_tied_choices", "reason"),
        *("distinctions", "incongruent", "formalism"),
    )

    @cached_property
    def relations(self) -> Relations:
        """Relations among the distinctions, counted and summed without being listed."""
        return Relations(self.distinctions, self.labels)

    @property
    def n_distinctions(self) -> int:
        """Number of distinctions."""
        return len(self.distinctions)

    @property
    def n_relations(self) -> int:
        """Number of relations, exactly."""
        return self.relations.count

    @property
    def sum_phi_d(self) -> float:
        """Summed phi of distinctions, ibits."""
        return sum_phi_d(self.distinctions)

    @property
    def sum_phi_r(self) -> float:
        """Summed phi of relations, ibits; inf where a double overflows."""
        return self.relations.sum_phi

    @property
    def phi(self) -> float:
        """Structure integrated information Φ, ibits (Eq. 59); inf where a double overflows."""
        return self.sum_phi_d + self.sum_phi_r

    @property
    def log2_phi(self) -> float:
        """Log2 of Φ, finite also where a double overflows; -inf for zero."""
        return self.relations.log2_sum_phi if math.isinf(self.phi) else _log2(self.phi)

    def fold(
        self,
        distinction: Distinction | Sequence[str] | None = None,
        *,
        units: Iterable[str] | None = None,
        content: Iterable[Distinction] | None = None,
    ) -> PhiFold:
        """A Φ-fold; give exactly one of three.

        Args:
            distinction: one distinction, or the names of its mechanism's units.
            units: compound fold, of all distinctions whose mechanism contains one of these units.
            content: content fold, of a chosen set of distinctions.

        Raises:
            SubstrateError: when what is named is not in this structure.

        Example:
            >>> from iitcore import Substrate
            >>> pair = Substrate.logistic([[0.1, 0.9], [0.9, 0.1]])
            >>> unfold(pair.system("11")).fold(units="A").n_relations
            4
        """
        if sum(given is not None for given in (distinction, units, content)) != 1:
            raise SubstrateError("fold takes exactly one of: distinction, units, content")
        if units is not None:
            touched = {units} if isinstance(units, str) and units in self.labels else set(names(units, "units"))
            unknown = sorted(touched - set(self.labels))
            chosen = [d for d in self.distinctions if touched & set(d.mechanism)]
        else:
            asked = [distinction] if content is None else items(content, "distinctions")
            wanted = [
                tuple(d.mechanism if isinstance(d, Distinction) else names(d, "the units of a mechanism"))
                for d in asked
            ]
            have = {frozenset(d.mechanism): d for d in self.distinctions}
            unknown = [",".join(m) for m in wanted if frozenset(m) not in have]
            chosen = [d for d in self.distinctions if {*d.mechanism} in [{*m} for m in wanted]]
        if unknown:
            raise SubstrateError(
                f"no {'unit' if units is not None else 'distinction'} {'; '.join(unknown)} in this "
                f"structure of {', '.join(self.labels)} with {len(self.distinctions)} distinctions"
            )
        count, total = self.relations.touching(chosen)
        return PhiFold(tuple(chosen), count, sum_phi_d(chosen), total)

    def table(self) -> pd.DataFrame:
        """One row per distinction (see `relations.table` for relations)."""
        return distinction_table(self.distinctions)

    def plot(self, figure: Figure | None = None) -> Figure:
        """Draw distinctions and the relations of every two (see `display.plot_structure`).

        Args:
            figure: to draw on; a new one by default.
        """
        from iitcore import display

        return display.plot_structure(self, figure)

    def _repr_html_(self) -> str:
        from iitcore import display

        return display.of_structure(self)

    def __repr__(self) -> str:
        version = "" if self.formalism == "2023" else f"{self.formalism}, "
        units = version + ", ".join(f"{u}={v}" for u, v in zip(self.labels, self.system_state, strict=True))
        if self.reason:
            return f"PhiStructure({units}: empty; {self.reason})"
        phi = f"{self.phi:.6g}" if math.isfinite(self.phi) else f"2^{self.log2_phi:.2f}"
        ties = ""
        if self.n_tied_choices > 1:
            kind = "ranges over" if self.phi_range_exact else "is within"
            ties = (
                f"; Φ {kind} [{self.phi_range[0]:.6g}, {self.phi_range[1]:.6g}] "
                f"for {shown(self.n_tied_choices)} tied choices"
            )
        return (
            f"PhiStructure({units}: Φ={phi}, {len(self.distinctions)} distinctions "
            f"(sum {self.sum_phi_d:.6g}), {self.relations!r}{ties})"
        )


def unfold(
    system: System,
    cause_effect_state: tuple[Sequence[int], Sequence[int]] | None = None,
    threads: int | None = None,
    formalism: Formalism = "2023",
) -> PhiStructure:
    """The Φ-structure of a system: distinctions, congruence, relations, Φ (Eqs. 27-59).

    Args:
        system: a candidate system, normally a complex.
        cause_effect_state: (cause state, effect state) to filter by. By default the system's own,
            from `system_phi`; where several tie there, the one with the largest Φ.
        threads: for systems of more than six units; by default one per available core.
        formalism: version of the theory by which tied cause-effect states of the system are told apart, see
            `iitcore.formalism`; the structure of a cause-effect state is the same in all.

    Returns:
        The structure; empty, with a `reason`, where the state is unreachable.

    Raises:
        SubstrateError: when the given states are not states of the system, or its tables would not
            fit into memory.

    Example:
        >>> from iitcore import Substrate
        >>> swap = Substrate([[0, 0], [0, 1], [1, 0], [1, 1]])
        >>> unfold(swap.system("10"))
        PhiStructure(A=1, B=0: Φ=4, 2 distinctions (sum 2), Relations(2 among 2, sum_phi=2))
    """
    code_of(formalism)
    found = distinctions(system, threads)
    if not system.reachable:
        why = "no cause: no state of the universe leads to the present one"
        nothing = (system.labels, system.state, None, None, (), ())
        return PhiStructure(*nothing, (0.0, 0.0), reason=why, formalism=formalism)
    if cause_effect_state is None:
        pairs = system_phi(system, formalism).tied_pairs
        r = resolve(found, system.labels, pairs, units_alike(system))
    else:
        r = resolve(found, system.labels, [_checked(system, cause_effect_state)])
    return PhiStructure(
        system.labels,
        system.state,
        *r.pair,
        r.distinctions,
        r.incongruent,
        r.phi_range,
        r.exact,
        r.n_choices,
        formalism=formalism,
    )


def _checked(system: System, pair: Sequence[Sequence[int]]) -> tuple[State, State]:
    given = items(pair, "a cause state and an effect state")
    if len(given) != 2:
        raise SubstrateError(f"{pair!r} is not a cause state and an effect state; give both")
    found = []
    for name, state in zip(("cause", "effect"), given, strict=True):
        try:
            found.append(check_state(state, system.alphabet, system.labels))
        except SubstrateError as error:
            raise SubstrateError(
                f"{name} state {state!r} is not a state of {', '.join(system.labels)} ({error}): congruence would be "
                "decided wrongly; give one value per unit of the system"
            ) from None
    return found[0], found[1]


def _log2(value: float) -> float:
    return math.log2(value) if value > 0 else -math.inf
