"""A substrate as a graph of units: its canonical form under relabelling, and an export to networkx."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import permutations, product
from typing import TYPE_CHECKING, Any

import numpy as np

from iitcore import _kernels, _layout
from iitcore._arrays import Floats, Ints
from iitcore._layout import StateLike
from iitcore._numbers import SubstrateError, of_kind
from iitcore.substrate import Substrate
from iitcore.system import SystemPhi

if TYPE_CHECKING:
    import networkx as nx

_MOST_ORDERS = 50_000  # orders of units that are compared
_DIGITS = 12  # decimals in which two substrates are the same


@dataclass(frozen=True)
class Canonical:
    """Result of `canonical`.

    Attributes:
        substrate: with its units in canonical order, named A, B, ...
        order: for each unit of it, the position of that unit in the original.
        state: the state in the canonical order; None where none was given.
        digest: equal for two substrates (in states) that differ in the order and names of their units only.
    """

    substrate: Substrate
    order: tuple[int, ...]
    state: tuple[int, ...] | None
    digest: str


def canonical(substrate: Substrate, state: StateLike | None = None) -> Canonical:
    """The same substrate whatever order and names its units come in.

    Units are told apart by their probabilities and by whom they affect; of the orders that this leaves open the one
    with the smallest TPM is taken. Values are compared to 12 decimals. phi_s, complexes and structures are the same
    in any order, so that equal digests need one analysis.

    Args:
        substrate: units in any order.
        state: one value per unit, which is then part of what is compared.

    Returns:
        The canonical form, its order, and a digest of it.

    Raises:
        SubstrateError: so many units are alike that too many orders would have to be compared.

    Example:
        >>> left = Substrate([[0.1, 0.2], [0.7, 0.4], [0.5, 0.6], [0.3, 0.8]])
        >>> right = Substrate([[0.2, 0.1], [0.6, 0.5], [0.4, 0.7], [0.8, 0.3]], units=["second", "first"])
        >>> canonical(left).digest == canonical(right).digest
        True
        >>> canonical(right).order
        (1, 0)
    """
    of_kind(substrate, Substrate, "build one from a TPM with Substrate(tpm)")
    values = None if state is None else substrate.check_state(state)
    packed = np.round(substrate.packed, _DIGITS) + 0.0
    best: bytes | None = None
    chosen: tuple[int, ...] = ()
    for order in _orders(substrate, packed, values):
        content = _reordered(packed, substrate.alphabet, order).astype(">f8").tobytes()
        if best is None or content < best:
            best, chosen = content, order
    alphabet = tuple(substrate.alphabet[i] for i in chosen)
    moved = None if values is None else tuple(values[i] for i in chosen)
    head = f"{alphabet} {moved}".encode()
    names = _layout.check_labels(None, len(chosen))
    form = Substrate._of(_reordered(substrate.packed, substrate.alphabet, chosen), alphabet, names)
    return Canonical(form, chosen, moved, sha256(head + (best or b"")).hexdigest())


def _reordered(packed: Floats, alphabet: Sequence[int], order: Sequence[int]) -> Floats:
    """Packed probabilities of the units in another order."""
    n = len(alphabet)
    grid = packed.reshape(*reversed(alphabet), -1)
    axes = [n - 1 - order[n - 1 - a] for a in range(n)]
    rows = grid.transpose(*axes, n).reshape(len(packed), -1)
    return _layout.columns(np.ascontiguousarray(rows), alphabet, order)


def _orders(substrate: Substrate, packed: Floats, state: tuple[int, ...] | None) -> Iterator[tuple[int, ...]]:
    """Orders that may be the canonical one: units sorted by colour, those of one colour in every order."""
    colours = _colours(substrate, packed, state)
    groups = [[i for i, c in enumerate(colours) if c == colour] for colour in sorted(set(colours))]
    alike = {(i, j) for g in groups for i in g for j in g if i < j and _exchangeable(packed, substrate.alphabet, i, j)}
    options = [[p for p in _permutations(g) if _ascending(p, alike)] for g in groups]
    for choice in product(*options):
        yield tuple(i for group in choice for i in group)


def _permutations(group: list[int]) -> Iterator[tuple[int, ...]]:
    count = math.factorial(len(group))
    if count > _MOST_ORDERS:
        raise SubstrateError(
            f"{len(group)} units cannot be told apart by what they do: {count} orders would have to be compared; "
            "leave some of them out"
        )
    return permutations(group)


def _ascending(order: tuple[int, ...], alike: set[tuple[int, int]]) -> bool:
    """Whether units that may be exchanged stand in their original order: the others would give the same TPM."""
    return not any((b, a) in alike for k, a in enumerate(order) for b in order[k + 1 :])


def _exchangeable(packed: Floats, alphabet: Sequence[int], i: int, j: int) -> bool:
    order = list(range(len(alphabet)))
    order[i], order[j] = j, i
    return alphabet[i] == alphabet[j] and np.array_equal(_reordered(packed, alphabet, order), packed)


def _colours(substrate: Substrate, packed: Floats, state: tuple[int, ...] | None) -> list[int]:
    """A number for each unit that no relabelling changes; refined by the colours of those it is connected with."""
    strength = np.round(_strengths(packed, substrate.alphabet), 9)
    factors = _layout.split(packed, _layout.offsets(substrate.alphabet))
    own: list[Any] = [
        (k, None if state is None else state[i], tuple(np.sort(f[:, 1]).tolist()))
        for i, (k, f) in enumerate(zip(substrate.alphabet, factors, strict=True))
    ]
    colours = _ranked(own)
    for _ in range(substrate.n):
        seen = [
            (colours[i], tuple(sorted((colours[j], strength[i, j], strength[j, i]) for j in range(substrate.n))))
            for i in range(substrate.n)
        ]
        finer = _ranked(seen)
        if len(set(finer)) == len(set(colours)):
            break
        colours = finer
    return colours


def _ranked(values: list[Any]) -> list[int]:
    places = {v: i for i, v in enumerate(sorted(set(values)))}
    return [places[v] for v in values]


def _strengths(packed: Floats, alphabet: Sequence[int]) -> Floats:
    """(n, n); the largest change of any probability of the column's unit that the row's unit makes."""
    n = len(alphabet)
    out = np.zeros((n, n))
    for j, factor in enumerate(_layout.split(packed, _layout.offsets(alphabet))):
        grid = factor.reshape(*reversed(alphabet), -1)
        for i in range(n):
            out[i, j] = np.ptp(grid, axis=n - 1 - i).max()
    return out


def to_networkx(substrate: Substrate, state: StateLike | None = None, analysis: SystemPhi | None = None) -> nx.DiGraph:
    """The units and their connections as a networkx graph (an extra: `pip install networkx`).

    Args:
        substrate: its units become nodes, by name; an edge for each unit that changes what another, or itself, does.
        state: one value per unit, as the node attribute `state`.
        analysis: of a system of these units; its units are marked (`system`), and the connections that its minimum
            partition cuts (`cut`).

    Returns:
        A directed graph; nodes have `values` (how many), edges `strength` (largest change of a probability).

    Raises:
        SubstrateError: networkx is not installed, or the analysis is of other units.

    Example:
        >>> swap = Substrate([[0, 0], [0, 1], [1, 0], [1, 1]])
        >>> to_networkx(swap).edges(data="strength")
        OutEdgeDataView([('A', 'B', 1.0), ('B', 'A', 1.0)])
    """
    of_kind(substrate, Substrate, "build one from a TPM with Substrate(tpm)")
    try:
        import networkx
    except ImportError:
        raise SubstrateError("a graph needs networkx, which is not installed: pip install networkx") from None
    graph = networkx.DiGraph()
    values = None if state is None else substrate.check_state(state)
    for i, name in enumerate(substrate.units):
        graph.add_node(name, values=substrate.alphabet[i], **({} if values is None else {"state": values[i]}))
    found = _kernels.connections(substrate.packed, _layout.offsets(substrate.alphabet))
    strength = _strengths(substrate.packed, substrate.alphabet)
    for i, j in zip(*np.nonzero(found), strict=True):
        graph.add_edge(substrate.units[i], substrate.units[j], strength=float(strength[i, j]))
    if analysis is not None:
        _mark(graph, substrate, analysis)
    return graph


def _mark(graph: nx.DiGraph, substrate: Substrate, analysis: SystemPhi) -> None:
    of_kind(analysis, SystemPhi, "system_phi(system) makes one")
    unknown = [u for u in analysis.labels if u not in substrate.units]
    if unknown:
        raise SubstrateError(f"the analysis is of {', '.join(unknown)}, which the substrate does not have")
    for name in substrate.units:
        graph.nodes[name]["system"] = name in analysis.labels
    cut: Ints = np.zeros((len(analysis.labels),) * 2, np.int64)
    if analysis.partition is not None:
        cut = analysis.partition.cut_matrix
    for a, b, data in graph.edges(data=True):
        inside = a in analysis.labels and b in analysis.labels
        data["cut"] = bool(inside and cut[analysis.labels.index(a), analysis.labels.index(b)])
