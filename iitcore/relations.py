"""Relations: how distinctions bind over the units they have in common (Eqs. 49-56, S3 Text).

There are easily more than can be listed, so `Relations` is analytic: counts are exact integers of
any size, sums of phi_r come from sorted densities, and single relations are listed on demand.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Literal

import numpy as np

from iitcore import _structure_kernels as kernels
from iitcore._arrays import Floats, Ints
from iitcore._numbers import items, limit, of_kind
from iitcore._plain import Plain
from iitcore.distinctions import Distinction, Names

if TYPE_CHECKING:
    import pandas as pd

Element = tuple[str, int]
Relatum = Literal["cause", "effect", "both"]
_TABLE = 24  # elements whose subsets fit one table (2**24 int32)


@dataclass(frozen=True)
class Face:
    """One way in which a relation's distinctions overlap.

    Attributes:
        relata: per distinction whether its cause, its effect or both take part.
        overlap: the elements (unit, value) that all of these share.
    """

    relata: tuple[Relatum, ...]
    overlap: tuple[Element, ...]


@dataclass(frozen=True)
class Relation(Plain):
    """A set of distinctions whose causes and effects overlap.

    Attributes:
        distinctions: its members; a single one relates to itself, cause with effect.
        overlap: elements shared by all members.
        phi: irreducibility of the overlap, ibits (Eq. 52).
    """

    distinctions: tuple[Distinction, ...]
    overlap: tuple[Element, ...]
    phi: float

    @property
    def degree(self) -> int:
        """Number of distinctions."""
        return len(self.distinctions)

    @property
    def mechanisms(self) -> tuple[Names, ...]:
        """Mechanisms of its distinctions."""
        return tuple(d.mechanism for d in self.distinctions)

    @cached_property
    def faces(self) -> tuple[Face, ...]:
        """Every choice of causes and effects, at least one per distinction, that share an element."""
        options: tuple[Relatum, ...] = ("cause", "effect", "both")
        found = []
        for relata in product(options[2:] if self.degree == 1 else options, repeat=self.degree):
            shared = set(self.overlap)
            for d, which in zip(self.distinctions, relata, strict=True):
                if which != "effect":
                    shared &= d.cause.elements
                if which != "cause":
                    shared &= d.effect.elements
            if shared:
                found.append(Face(relata, tuple(o for o in self.overlap if o in shared)))
        return tuple(found)

    def __repr__(self) -> str:
        members = " ".join(",".join(m) for m in self.mechanisms)
        shared = ",".join(f"{u}={v}" for u, v in self.overlap)
        return f"Relation({members}: phi={self.phi:.6g}, overlap {shared})"


@dataclass(frozen=True, repr=False)
class Relations:
    """All relations among distinctions, as numbers; see `enumerate` for the relations themselves.

    Args:
        distinctions: those of one system, already congruent with its cause-effect state.
        labels: the system's units.
    """

    distinctions: tuple[Distinction, ...]
    labels: Names

    @cached_property
    def elements(self) -> tuple[Element, ...]:
        """Units with values that occur in any cause or effect."""
        found = {o for d in self.distinctions for o in d.elements}
        return tuple(sorted(found, key=lambda o: (self.labels.index(o[0]), o[1])))

    @cached_property
    def arrays(self) -> tuple[Floats, Ints, Ints]:
        """Per distinction: phi, mask of its elements, mask of those in both cause and effect."""
        bit = {o: 1 << i for i, o in enumerate(self.elements)}
        phi = np.array([d.phi for d in self.distinctions])
        union = [sum(bit[o] for o in d.elements) for d in self.distinctions]
        both = [sum(bit[o] for o in d.cause.elements & d.effect.elements) for d in self.distinctions]
        return phi, np.array(union, dtype=np.int64), np.array(both, dtype=np.int64)

    @cached_property
    def _histogram(self) -> dict[int, int]:
        return overlap_histogram([int(u) for u in self.arrays[1]], len(self.elements))

    @cached_property
    def self_count(self) -> int:
        """Number of distinctions that relate to themselves (degree 1)."""
        return int(np.count_nonzero(self.arrays[2]))

    @cached_property
    def count(self) -> int:
        """Number of relations, exactly."""
        return self.self_count + sum(w * ((1 << c) - 1 - c) for c, w in self._histogram.items())

    @property
    def log2_count(self) -> float:
        """Log2 of the count; -inf for none."""
        return math.log2(self.count) if self.count else -math.inf

    @cached_property
    def _sum(self) -> tuple[float, int]:
        return kernels.relation_phi(*self.arrays, np.ones(len(self.distinctions), np.int64))

    @property
    def sum_phi(self) -> float:
        """Sum of phi_r over all relations, ibits; inf where a double overflows."""
        return scaled(*self._sum)

    @property
    def log2_sum_phi(self) -> float:
        """Log2 of `sum_phi`, finite also where a double overflows; -inf for zero."""
        value, exponent = self._sum
        return math.log2(value) + exponent if value > 0 else -math.inf

    def by_degree(self, max_degree: int | None = None) -> dict[int, tuple[int, float]]:
        """Number of relations and their summed phi_r (ibits), for each number of distinctions bound.

        Args:
            max_degree: largest number of distinctions, from 1 on; None for all that occur.

        Returns:
            (count, summed phi_r) by degree; degrees without relations are left out.

        Raises:
            SubstrateError: a largest degree below 1.

        Example:
            >>> from iitcore import Substrate, unfold
            >>> swap = Substrate([[0, 0], [0, 1], [1, 0], [1, 1]])
            >>> unfold(swap.system("10")).relations.by_degree()
            {1: (2, 2.0)}
        """
        max_degree = limit(max_degree, "max_degree")
        phi, union, both = self.arrays
        sizes = np.array([int(u).bit_count() for u in union], dtype=float)
        density = phi / np.maximum(sizes, 1)
        ranked = np.argsort(density, kind="stable")
        groups = [ranked[union[ranked] >> o & 1 > 0] for o in range(len(self.elements))]
        shared = np.array([int(b).bit_count() for b in both], dtype=float)
        found = {1: (self.self_count, float(shared @ density) if len(phi) else 0.0)}
        deepest = max((len(g) for g in groups), default=0)
        # Binomials grow with the degree k: C(c, k) exactly; C(denser, k - 1) times the density, as
        # mantissas and exponents of doubles.
        ways = dict.fromkeys(self._histogram, 1)
        denser = np.concatenate([np.arange(len(g))[::-1] for g in groups] or [ranked])
        value, exponent = np.frexp(np.concatenate([density[g] for g in groups] or [density]))
        for k in range(1, min(deepest, max_degree or deepest) + 1):
            ways = {c: w * (c - k + 1) // k for c, w in ways.items()}
            if k > 1:
                value, more = np.frexp(value * (denser - k + 2) / (k - 1))
                exponent = exponent + more
                top = int(exponent[value > 0].max())
                total = scaled(float(np.ldexp(value, exponent - top).sum()), top)
                found[k] = (sum(w * ways[c] for c, w in self._histogram.items()), total)
        return {k: v for k, v in found.items() if v[0]}

    def enumerate(self, max_degree: int | None = 3) -> Iterator[Relation]:
        """List relations of up to `max_degree` distinctions, lowest degree first.

        There may be astronomically many: see `by_degree` before asking for high degrees.

        Args:
            max_degree: from 1 on; None lists all of them.

        Raises:
            SubstrateError: a largest degree below 1.

        Example:
            >>> from iitcore import Substrate, unfold
            >>> swap = Substrate([[0, 0], [0, 1], [1, 0], [1, 1]])
            >>> list(unfold(swap.system("10")).relations.enumerate())
            [Relation(A: phi=1, overlap B=1), Relation(B: phi=1, overlap A=0)]
        """
        most = limit(max_degree, "max_degree")
        phi, union, both = self.arrays
        density = [float(p) / max(int(u).bit_count(), 1) for p, u in zip(phi, union, strict=True)]
        masks = [int(u) for u in union]

        def grown(members: tuple[int, ...], shared: int, k: int) -> Iterator[Relation]:
            if len(members) == k:
                yield self._relation(members, shared, density)
                return
            for i in range(members[-1] + 1, len(masks)):
                if shared & masks[i]:
                    yield from grown((*members, i), shared & masks[i], k)

        for i, b in enumerate(both):
            if b:
                yield self._relation((i,), int(b), density)
        for k in range(2, min(most or len(masks), len(masks)) + 1):
            for i, mask in enumerate(masks):
                yield from grown((i,), mask, k)

    def _relation(self, members: tuple[int, ...], shared: int, density: list[float]) -> Relation:
        overlap = tuple(o for i, o in enumerate(self.elements) if shared >> i & 1)
        phi = len(overlap) * min(density[i] for i in members)
        return Relation(tuple(self.distinctions[i] for i in members), overlap, phi)

    def table(self, max_degree: int | None = 3) -> pd.DataFrame:
        """One row per relation of up to `max_degree` distinctions."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "degree": r.degree,
                    "mechanisms": " ".join(",".join(m) for m in r.mechanisms),
                    "overlap": ",".join(f"{u}={v}" for u, v in r.overlap),
                    "phi": r.phi,
                    "faces": len(r.faces),
                }
                for r in self.enumerate(max_degree)
            ],
            columns=["degree", "mechanisms", "overlap", "phi", "faces"],
        )

    def touching(self, members: Sequence[Distinction]) -> tuple[int, float]:
        """Number and summed phi_r (ibits) of the relations that bind at least one of some distinctions.

        Args:
            members: distinctions of these relations.
        """
        for d in items(members, "distinctions"):
            of_kind(d, Distinction, "pass distinctions of this structure")
        chosen = {d.mechanism for d in members}
        others = tuple(d for d in self.distinctions if d.mechanism not in chosen)
        rest = Relations(others, self.labels)
        inside = np.array([d.mechanism in chosen for d in self.distinctions], dtype=np.int64)
        return self.count - rest.count, scaled(*kernels.relation_phi(*self.arrays, inside))

    def __repr__(self) -> str:
        return f"Relations({shown(self.count)} among {len(self.distinctions)}, sum_phi={self.sum_phi:.6g})"


def overlap_histogram(masks: Sequence[int], n_elements: int) -> dict[int, int]:
    """Signed counts of inclusion-exclusion over shared elements (see the kernel of that name).

    Sets of more elements than fit a table are halved: those without the last element, and those
    with it, whose sign is the opposite and to which only distinctions containing it count.

    Args:
        masks: per distinction the elements in its cause or effect.
        n_elements: number of elements.

    Returns:
        Number of distinctions -> signed count, zeros left out.
    """
    if n_elements <= _TABLE:
        counts = kernels.overlap_histogram(np.array(masks, dtype=np.int64), n_elements)
        return {c: int(w) for c, w in enumerate(counts) if w}
    last = n_elements - 1
    inside = [m & ~(1 << last) for m in masks if m >> last & 1]
    found = overlap_histogram([m & ~(1 << last) for m in masks], last)
    found[len(inside)] = found.get(len(inside), 0) + 1
    if len(inside) > 1:
        for c, w in overlap_histogram(inside, last).items():
            found[c] = found.get(c, 0) - w
    return found


def scaled(value: float, exponent: int) -> float:
    """Value * 2**exponent, inf where a double overflows.

    Args:
        value: any number.
        exponent: power of two.
    """
    try:
        return math.ldexp(value, exponent)
    except OverflowError:
        return math.inf


def as_float(count: int) -> float:
    """A count as a double, inf where it overflows."""
    try:
        return float(count)
    except OverflowError:
        return math.inf


def shown(count: int) -> str:
    """A count in digits, as a power of two where there would be too many."""
    return str(count) if count < 10**15 else f"2^{math.log2(count):.2f}"
